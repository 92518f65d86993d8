/** What a client leaves behind when it is closed. Step Functions and S3 are one server of the test. */
import type { IncomingMessage } from 'node:http';
import { SlicedInferenceClient } from '../../client';
import { answeringServer } from '../support/answering-server';
import { described, MACHINE, succeeded } from '../support/fake-aws';
import { until } from '../support/until';

const small = { x: [1] };
/** Above 255 KiB as base64. */
const large = { x: { shape: [100_000], data: new Float32Array(100_000) } };

/** Names of operations that are not answered. */
let silent: readonly string[] = [];

function operationOf({ headers, method }: IncomingMessage): string {
  const target = headers['x-amz-target'];
  return typeof target === 'string' ? target.replace(/^.*\./, '') : `${method} object`;
}

const server = answeringServer('http', (request, response) => {
  const operation = operationOf(request);
  request.on('end', () => {
    if (silent.includes(operation)) return;
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    const answer = operation === 'DescribeStateMachine' ? described() : succeeded();
    response.end(operation === 'PUT object' ? undefined : JSON.stringify(answer));
  });
});
const requests = (): string[] => server.requests.map(operationOf);
const isOpen = ({ destroyed }: { readonly destroyed: boolean }): boolean => !destroyed;
const noConnection = () => until('no connection', () => !server.connections.some(isOpen));

beforeEach(() => {
  process.env.AWS_ENDPOINT_URL_SFN = server.endpoint;
  silent = [];
});
afterEach(noConnection);

async function requested(operation: string): Promise<void> {
  await until(operation, () => requests().includes(operation));
}

describe('close', () => {
  it('leaves no connection, and a later call opens new ones, which the next close closes', async () => {
    const model = new SlicedInferenceClient({ stateMachineArn: MACHINE });
    await model.close();
    for (const inputs of [small, large]) {
      await model.infer(inputs);
      expect(server.connections.some(isOpen)).toBe(true);
      await model.close();
      await noConnection();
    }
  });

  it('ends a question that no call waits for any more, and the calls that still do', async () => {
    silent = ['DescribeStateMachine'];
    const model = new SlicedInferenceClient({ stateMachineArn: MACHINE });
    await expect(model.infer(small, { waitTimeout: 50 })).rejects.toThrow('within 50 ms');
    const waiting = expect(model.infer(small)).rejects.toThrow(
      /^the client must stay open .*, got close\(\): /,
    );
    await model.close();
    await waiting;
    silent = [];
    await model.infer(small);
    await model.close();
  });

  it('ends a call that waits, and starts nothing twice', async () => {
    silent = ['StartSyncExecution'];
    const model = new SlicedInferenceClient({ stateMachineArn: MACHINE });
    const call = expect(model.infer(large)).rejects.toThrow('the client must stay open during a call');
    await requested('StartSyncExecution');
    await model.close();
    await call;
    expect(requests().filter((name) => name === 'StartSyncExecution')).toHaveLength(1);
  });
});
