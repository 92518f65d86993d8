/** The server with a state machine in memory; `test/local/cloud/http-api.test.ts` serves the APIs of templates. */
import type { HttpApi } from '../../../local/api-gateway/http-api';
import { HttpApiServer } from '../../../local/api-gateway/server';
import { parseRouteKey } from '../../../local/api-gateway/routes';
import { Authorizer } from '../../../local/iam/authorizer';
import { Callers } from '../../../local/s3/callers';
import { StateMachines } from '../../../local/step-functions/state-machines';
import { HANG, machine, task } from '../../support/machine-fixture';
import { send } from '../../support/signed-request';

const ROLE = 'arn:aws:iam::000000000000:role/front';
const ALL = { patterns: ['*'], except: false };

/** @param waits gets how long the server waits, in milliseconds */
async function serve(fixture: ReturnType<typeof machine>, timeoutMs = 30_000, waits: number[] = []) {
  const authorizer = new Authorizer();
  authorizer.update({
    account: '000000000000',
    region: 'us-east-1',
    identities: new Map([
      [
        ROLE,
        { policies: [{ statements: [{ effect: 'Allow', actions: ALL, resources: ALL, conditions: [] }] }] },
      ],
    ]),
    resources: new Map(),
    bucketKeys: new Map(),
  });
  const api: HttpApi = {
    id: 'api',
    stages: ['$default'],
    cors: undefined,
    roleArns: [ROLE],
    routes: [
      {
        key: parseRouteKey('POST /read', 'a test'),
        authorization: { type: 'NONE' },
        integration: {
          kind: 'step-functions',
          action: 'StartSyncExecution',
          roleArn: ROLE,
          stateMachineArn: fixture.stateMachine.resource.arn,
          parameters: [['input', { from: 'body', steps: [] }]],
          timeoutMs,
        },
      },
    ],
  };
  const server = new HttpApiServer({
    machines: new StateMachines([fixture.stateMachine]),
    callers: new Callers(),
    authorizer,
    region: 'us-east-1',
    account: '000000000000',
    clock: {
      ...fixture.clock,
      sleep: (milliseconds, signal) => {
        waits.push(milliseconds);
        return fixture.clock.sleep(milliseconds, signal);
      },
    },
    signal: new AbortController().signal,
    onNotice: () => undefined,
  });
  await server.serve(api);
  return server;
}

async function post(server: HttpApiServer, path = '/read', body = '{}') {
  const { status, body: text } = await send(server.endpoint ?? '', { method: 'POST', path, body }, {});
  return { status, body: JSON.parse(text) as unknown };
}

test('a request that takes longer than 30 seconds is answered with 503', async () => {
  const fixture = machine(task(), { attempts: [HANG], type: 'EXPRESS' });
  const waits: number[] = [];
  const server = await serve(fixture, undefined, waits);
  expect(await post(server)).toEqual({ status: 503, body: { message: 'Service Unavailable' } });
  expect(waits).toEqual([30_000]);
  await server.close();
});

test('the timeout of the integration is the limit', async () => {
  const fixture = machine(task(), { attempts: [HANG], type: 'EXPRESS' });
  const waits: number[] = [];
  const server = await serve(fixture, 5_000, waits);
  expect(await post(server)).toMatchObject({ status: 503 });
  expect(waits).toEqual([5_000]);
  await server.close();
});

test('a Standard state machine cannot be started synchronously', async () => {
  const server = await serve(machine(task(), { type: 'STANDARD' }));
  expect(await post(server)).toMatchObject({ status: 400, body: { __type: 'StateMachineTypeNotSupported' } });
  await server.close();
});

test('a malformed path is a bad request', async () => {
  const server = await serve(machine(task(), { type: 'EXPRESS' }));
  expect(await post(server, '/%E0%A4%A')).toEqual({ status: 400, body: { message: 'Bad Request' } });
  await server.close();
});

test.each([
  ['page.example', 403],
  ['localhost:80', 200],
])('a request for the host %s is answered with %i', async (host, status) => {
  const server = await serve(machine(task(), { type: 'EXPRESS' }));
  const request = { method: 'POST', path: '/read', body: '{}' };
  expect((await send(server.endpoint ?? '', request, { host })).status).toBe(status);
  await server.close();
});
