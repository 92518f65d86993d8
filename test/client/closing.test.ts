/** What a client leaves behind when it is closed or a loop over its results ends. Step Functions and S3 are one server of the test. */
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { SlicedInferenceClient, type TensorInputs } from '../../client';
import { closeServer, listen } from '../../local/http/loopback-server';
import { described, MACHINE, succeeded } from '../support/fake-aws';
import { until } from '../support/until';

const small = { x: [1] };
/** Above 255 KiB as base64. */
const large = { x: { shape: [100_000], data: new Float32Array(100_000) } };

const sockets = new Set<Socket>();
let requests: string[] = [];
/** Names of operations that are not answered. */
let silent: readonly string[] = [];

function answer(operation: string): unknown {
  return operation === 'DescribeStateMachine' ? described() : succeeded();
}

const server = http
  .createServer((request, response) => {
    const target = request.headers['x-amz-target'];
    const operation = typeof target === 'string' ? target.replace(/^.*\./, '') : `${request.method} object`;
    requests.push(operation);
    request.resume().on('end', () => {
      if (silent.includes(operation)) return;
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.end(typeof target === 'string' ? JSON.stringify(answer(operation)) : undefined);
    });
  })
  .on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

const before = { ...process.env };
beforeAll(async () => {
  const endpoint = `http://127.0.0.1:${await listen(server, 0)}`;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ENDPOINT_URL_SFN: endpoint,
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
  });
});
beforeEach(() => {
  requests = [];
  silent = [];
});
afterEach(async () => {
  await until('no connection', () => Promise.resolve(sockets.size === 0 ? true : undefined));
});
afterAll(async () => {
  process.env = before;
  server.closeAllConnections();
  await closeServer(server);
});

async function requested(operation: string, times = 1): Promise<void> {
  await until(operation, () =>
    Promise.resolve(requests.filter((name) => name === operation).length >= times ? true : undefined),
  );
}

describe('close', () => {
  it('leaves no connection, and a later call opens new ones, which the next close closes', async () => {
    const model = new SlicedInferenceClient({ stateMachineArn: MACHINE });
    await model.close();
    for (const inputs of [small, large]) {
      await model.infer(inputs);
      expect(sockets.size).toBeGreaterThan(0);
      await model.close();
      await until('no connection', () => Promise.resolve(sockets.size === 0 ? true : undefined));
    }
  });

  it.each(['StartSyncExecution', 'PUT object'])(
    'ends a call that waits for %s, and starts nothing twice',
    async (operation) => {
      silent = [operation];
      const model = new SlicedInferenceClient({ stateMachineArn: MACHINE });
      const call = model.infer(large).then(
        () => 'succeeded',
        (error: unknown) => (error as Error).message,
      );
      await requested(operation);
      await model.close();
      expect(await call).toBe(
        'the client must stay open during a call, got close(): call it when all calls have ended',
      );
      expect(requests.filter((name) => name === operation)).toHaveLength(1);
    },
  );
});

describe('a loop over many results', () => {
  it('that is left during uploads ends their requests, starts no others and closes its source', async () => {
    const model = new SlicedInferenceClient({ stateMachineArn: MACHINE });
    let isClosed = false;
    async function* inputs(): AsyncGenerator<TensorInputs> {
      try {
        yield small;
        silent = ['PUT object'];
        for (;;) {
          yield large;
          await Promise.resolve();
        }
      } finally {
        isClosed = true;
      }
    }
    for await (const { index, error } of model.inferMany(inputs(), { concurrency: 4 })) {
      expect([index, error]).toEqual([0, undefined]);
      await requested('PUT object', 3);
      break;
    }
    expect(isClosed).toBe(true);
    const sent = requests.length;
    await model.close();
    expect(requests).toHaveLength(sent);
  });
});
