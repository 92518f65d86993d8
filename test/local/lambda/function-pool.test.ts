/** What functions see and return, how many sandboxes they have, and the Runtime API as other users of the machine see it. */
import * as fs from 'node:fs';
import { Notices } from '../../../local/notices';
import { call, functionFixture } from '../../support/function-fixture';
import { send } from '../../support/signed-request';
import { until } from '../../support/until';

const functions = functionFixture();

describe('a function', () => {
  test.each([
    ['its result', 'async (event) => ({ sum: event.a + event.b })', { sum: 3 }],
    ['nothing', 'async () => {}', null],
    [
      'a stream',
      `awslambda.streamifyResponse(async ({ a }, stream) => { stream.write('['); stream.end(a + ']'); })`,
      [1],
    ],
  ])('may return %s', async (_, handler, payload) => {
    const pool = await functions.create(`exports.handler = ${handler};`);
    const result = await pool.invoke('{"a":1,"b":2}');
    expect({ ...result, payload: JSON.parse(result.payload) as unknown }).toEqual({
      payload,
      executedVersion: '1',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      failed: false,
    });
  });

  test('gets the environment of Lambda and of its definition, but not that of this process', async () => {
    const pool = await functions.create(
      `exports.handler = async (event, context) =>
        ({ env: process.env, cwd: process.cwd(), context, arguments: process.argv.length });`,
      { environment: { OWN: 'value' } },
    );
    const answer = await call<Record<'env' | 'context', Record<string, string>> & { cwd: string }>(pool);
    expect(answer.env).toMatchObject({
      OWN: 'value',
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'the-id',
      AWS_LAMBDA_FUNCTION_NAME: pool.resource.name,
      AWS_LAMBDA_FUNCTION_VERSION: '1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${pool.resource.name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[1\][0-9a-f]{32}$/) as string,
      AWS_LAMBDA_RUNTIME_API: expect.stringMatching(/^127\.0\.0\.1:\d+\/[0-9a-f]{64}$/) as string,
      TZ: ':UTC',
      LAMBDA_TASK_ROOT: answer.cwd,
      _HANDLER: 'index.handler',
    });
    expect(answer.env).not.toHaveProperty('JEST_WORKER_ID');
    expect(answer.env.TMPDIR).toContain(functions.folder);
    expect(answer).toMatchObject({
      context: { invokedFunctionArn: `${pool.resource.arn}:1`, memoryLimitInMB: '256' },
      arguments: 2,
    });
  });

  test('writes to a log of limited size, of which all has arrived although it stands still', async () => {
    const lines: string[] = [];
    const source = `exports.handler = async () => {
      for (let i = 0; i < 5000; i++) console.log('line', i, 'x'.repeat(50));
      console.log('two\\nlines');
    };`;
    const onLog = (name: string, line: string): number => lines.push(`${name}: ${line}`);
    const pool = await functions.create(source, {}, { onLog });
    await call(pool);
    await until('all lines', () => lines.some((line) => line.endsWith('two\nlines')));
    const own = lines.filter((line) => !line.includes(': REPORT '));
    expect(own).toHaveLength(5001);
    expect(own[0]).toMatch(/^stack-F\d+: .*\tline 0 x+$/);
    const text = pool.log.text();
    expect(text).toMatch(/line 4999 x+\n.*two\nlines\n/s);
    expect(text.length).toBeLessThanOrEqual(64 * 1024);
  });

  test('loses the lines while its role may not write logs, and says so once', async () => {
    let refusal: string | undefined = 'not authorized';
    const { log } = await functions.create('', {}, { logRefusal: () => refusal });
    log.append('lost');
    log.append('lost too');
    refusal = undefined;
    log.append('kept');
    refusal = 'again';
    log.append('lost');
    const lost = 'the log lines of this function are lost: ';
    expect(log.text()).toBe(`${lost}not authorized\nkept\n${lost}again\n`);
  });
});

describe('sandboxes', () => {
  test('stay warm and are reused, also after a failure of the handler', async () => {
    const pool = await functions.create(`let calls = 0;
      exports.handler = async (fail) => { calls++; if (fail === true) throw new Error('x'); return { pid: process.pid, calls }; };`);
    const { pid } = await call(pool);
    await call(pool, true);
    expect(await call(pool)).toEqual({ pid, calls: 3 });
    expect(pool.processes()).toMatchObject([{ pid, busy: false }]);
  });

  test('are gone after closing the pool, with their folders and the processes that they started', async () => {
    const pool = await functions.create(`exports.handler = async () => {
      const endless = ['-e', 'setInterval(() => {}, 1000)'];
      require('node:child_process').spawn(process.execPath, endless, { stdio: 'inherit' });
      return { pid: process.pid, folder: process.env.TMPDIR };
    };`);
    const { pid, folder } = await call<{ pid: number; folder: string }>(pool);
    expect(fs.existsSync(folder)).toBe(true);
    await pool.close();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect([pool.processes(), fs.existsSync(folder)]).toEqual([[], false]);
    await expect(call(pool)).rejects.toThrow('the local cloud must be open, got a closed one: ');
  });

  test('whose files are larger than /tmp leave a notice', async () => {
    const notices = new Notices();
    const pool = await functions.create(
      `exports.handler = async (bytes) => require('node:fs').writeFileSync(process.env.TMPDIR + '/file', Buffer.alloc(bytes));`,
      { ephemeralStorageMegabytes: 1 },
      { notices },
    );
    await call(pool, 1024 ** 2);
    expect(notices.list().join()).not.toContain('/tmp');
    await call(pool, 1024 ** 2 + 1);
    expect(notices.list()).toContain(
      `the files in /tmp of the function '${pool.resource.name}' must fit into 1 MB on Lambda, got 2 MB: raise its ephemeral storage size`,
    );
  });

  test('that are idle can be ended: the next call is cold, with an empty folder and new access to S3', async () => {
    const ended: string[] = [];
    let admitted = 0;
    const admit = () => {
      const id = `id-${admitted++}`;
      return { environment: { AWS_ACCESS_KEY_ID: id }, end: () => ended.push(id) };
    };
    const source = `const { readdirSync, writeFileSync } = require('node:fs');
      exports.handler = async () => {
        const found = readdirSync(process.env.TMPDIR);
        writeFileSync(process.env.TMPDIR + '/file', '');
        return { found, id: process.env.AWS_ACCESS_KEY_ID };
      };`;
    const pool = await functions.create(source, {}, { admit });
    expect(await call(pool)).toEqual({ found: [], id: 'id-0' });
    expect(await call(pool)).toEqual({ found: ['file'], id: 'id-0' });
    await pool.endIdle();
    expect([ended, pool.processes()]).toEqual([['id-0'], []]);
    expect(await call(pool)).toEqual({ found: [], id: 'id-1' });
  });
});

describe('a failure', () => {
  test.each([
    [
      'of the handler',
      `class InvalidInput extends Error { name = 'InvalidInput' }
      exports.handler = async () => { throw new InvalidInput('{"slice":0}') };`,
      { errorType: 'InvalidInput', errorMessage: '{"slice":0}', trace: expect.any(Array) as string[] },
    ],
    [
      'to load the code',
      'throw new RangeError("no such model");',
      { errorType: 'RangeError', errorMessage: 'no such model' },
    ],
    [
      'outside the handler',
      `exports.handler = () => new Promise(() => { setImmediate(() => { throw new TypeError('aside'); }); });`,
      { errorType: 'TypeError', errorMessage: 'aside' },
    ],
    ...[
      ['process.exit(3)', 'Runtime exited with error: exit status 3'],
      ['process.exit(0)', 'Runtime exited without providing a reason'],
    ].map(([statement, message]): [string, string, Record<string, string>] => [
      `by ${statement}`,
      `exports.handler = async () => { ${statement}; };`,
      { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining(message) as string },
    ]),
  ])('%s is returned to every call', async (_, source, payload) => {
    const pool = await functions.create(source);
    for (let i = 0; i < 2; i++) {
      const result = await pool.invoke('{}');
      expect(result.failed).toBe(true);
      expect(JSON.parse(result.payload)).toMatchObject(payload);
    }
  });

  test('is a request or a response above 6 MB', async () => {
    const pool = await functions.create('exports.handler = async (size) => "x".repeat(size);');
    await expect(call(pool, 'x'.repeat(6_291_455))).rejects.toMatchObject({
      error: 'Lambda.RequestEntityTooLargeException',
      cause: expect.stringMatching(
        /^Request must be smaller than 6291456 bytes for the InvokeFunction operation \(.* Status Code: 413;/,
      ) as string,
    });
    expect(pool.processes()).toEqual([]);
    expect(await call(pool, 6_291_554)).toHaveLength(6_291_554);
    expect(await call(pool, 6_291_555)).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
  });
});

const NEXT = '/2018-06-01/runtime/invocation/next';

test.each<[string, string, (secret: string) => string, Record<string, string>]>([
  ['without the secret', 'GET', () => NEXT, {}],
  ['with another secret', 'GET', (secret) => secret.replaceAll(/\w/g, '0') + NEXT, {}],
  ['with the start of the secret', 'POST', (secret) => secret.slice(0, -1) + NEXT, {}],
  ['of a web page by its name', 'GET', (secret) => secret + NEXT, { host: 'page.example' }],
  ['of a web page', 'GET', (secret) => secret + NEXT, { origin: 'https://page.example' }],
])('the Runtime API refuses a request %s, and the next call succeeds', async (_, method, pathOf, headers) => {
  const pool = await functions.create(
    'exports.handler = async (event) => ({ api: process.env.AWS_LAMBDA_RUNTIME_API, event });',
  );
  const { api } = await call<{ api: string }>(pool);
  const [host, secret] = api.split(/(?=\/)/);
  const answer = await send(`http://${host}`, { method, path: pathOf(secret) }, headers);
  expect(answer).toMatchObject({ status: 403, body: '' });
  expect(await call(pool, 'mine')).toMatchObject({ event: 'mine' });
});
