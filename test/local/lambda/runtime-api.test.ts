/** Asks the Runtime API of a worker as another user of the machine, or a web page, could. */
import type { FunctionPool } from '../../../local/lambda/function-pool';
import { functionFixture } from '../../support/function-fixture';
import { send } from '../../support/signed-request';

const functions = functionFixture();

async function call(pool: FunctionPool, event: unknown): Promise<unknown> {
  return JSON.parse((await pool.invoke(JSON.stringify(event))).payload) as unknown;
}

const NEXT = '/2018-06-01/runtime/invocation/next';
const INIT_ERROR = '/2018-06-01/runtime/init/error';

describe('the Runtime API of a worker', () => {
  test.each<[string, string, (secret: string) => string, Record<string, string>]>([
    ['without the secret', 'GET', () => NEXT, {}],
    ['with another secret', 'GET', (secret) => secret.replaceAll(/\w/g, '0') + NEXT, {}],
    ['with the start of the secret', 'GET', (secret) => secret.slice(0, -1) + NEXT, {}],
    ['without the secret, with an error', 'POST', () => INIT_ERROR, {}],
    ['of a web page by its name', 'GET', (secret) => secret + NEXT, { host: 'page.example' }],
    ['of a web page', 'GET', (secret) => secret + NEXT, { origin: 'https://page.example' }],
  ])(
    'refuses a request %s, and the next call succeeds',
    async (_, method, pathOf, headers) => {
      const pool = await functions.create(
        `exports.handler = async (event) => ({ api: process.env.AWS_LAMBDA_RUNTIME_API, event });`,
      );
      const { api } = (await call(pool, 1)) as { api: string };
      const [host, secret] = api.split(/(?=\/)/);
      const answer = await send(`http://${host}`, { method, path: pathOf(secret) }, headers);
      expect(answer).toMatchObject({ status: 403, body: '' });
      expect(await call(pool, 'mine')).toMatchObject({ event: 'mine' });
    },
    // A request that is not refused waits for the next call.
    30_000,
  );

  test('receives an error before the first call, and streamed responses', async () => {
    const failing = await functions.create('throw new RangeError("at the start");');
    expect(await call(failing, 1)).toMatchObject({ errorType: 'RangeError' });
    const streaming = await functions.create(`exports.handler = awslambda.streamifyResponse(
      async (event, stream) => { stream.write('{"event":'); stream.end(event + '}'); });`);
    expect(await call(streaming, 7)).toEqual({ event: 7 });
  });
});
