import * as fs from 'node:fs';
import * as path from 'node:path';
import type { FunctionPool } from '../../../local/lambda/function-pool';
import { functionFixture } from '../../support/function-fixture';

const functions = functionFixture();

async function call(pool: FunctionPool, event: unknown = {}) {
  const { payload, ...rest } = await pool.invoke(JSON.stringify(event));
  return { ...rest, payload: JSON.parse(payload) as Record<string, unknown> };
}

/** Resolves when a file exists. The handlers of these tests write files to report their progress. */
function appears(file: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = fs.watch(path.dirname(file), check);
    check();
    function check(): void {
      if (!fs.existsSync(file)) return;
      watcher.close();
      resolve();
    }
  });
}

describe('a function', () => {
  test('returns its result and the version that ran', async () => {
    const pool = await functions.create('exports.handler = async (event) => ({ sum: event.a + event.b });');
    expect(await call(pool, { a: 1, b: 2 })).toEqual({ payload: { sum: 3 }, executedVersion: '1' });
  });

  test('may return nothing, or use a callback', async () => {
    const nothing = await functions.create('exports.handler = async () => {};');
    expect((await call(nothing)).payload).toBeNull();
    const callback = await functions.create('exports.handler = (event, context, done) => done(null, event);');
    expect((await call(callback, 5)).payload).toBe(5);
  });

  test('gets the environment of Lambda and of its definition, but not that of this process', async () => {
    process.env.SECRET_OF_THE_PARENT = 'x';
    const pool = await functions.create(
      'exports.handler = async (event, context) => ({ env: process.env, cwd: process.cwd(), context });',
      { environment: { OWN: 'value' } },
    );
    const { env, cwd, context } = (await call(pool)).payload as Record<string, Record<string, string>>;
    expect(env).toMatchObject({
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
      LAMBDA_TASK_ROOT: cwd,
      _HANDLER: 'index.handler',
    });
    expect(env).not.toHaveProperty('SECRET_OF_THE_PARENT');
    expect(env.TMPDIR).toContain(functions.folder);
    expect(context).toMatchObject({ invokedFunctionArn: `${pool.resource.arn}:1`, memoryLimitInMB: '256' });
    delete process.env.SECRET_OF_THE_PARENT;
  });

  test('writes to a log of limited size', async () => {
    const lines: string[] = [];
    const reports = (line: string): boolean => line.startsWith('REPORT ');
    const source = `exports.handler = async () => {
      for (let i = 0; i < 5000; i++) console.log('line', i, 'x'.repeat(50));
      console.log('two\\nlines');
    };`;
    const pool = await new Promise<FunctionPool>((resolve, reject) => {
      const created = functions.create(source, {}, (name, line) => {
        if (!reports(line)) lines.push(`${name}: ${line}`);
        if (line.endsWith('two\nlines')) resolve(created);
      });
      created.then(call).catch(reject);
    });
    expect(lines).toHaveLength(5001);
    expect(lines[0]).toMatch(/^stack-F\d+: .*\tline 0 x+$/);
    const text = pool.log.text();
    expect(text.slice(-200)).toMatch(/line 4999 x+\n.*two\nlines\n$/s);
    expect(text.length).toBeLessThanOrEqual(64 * 1024);
  });
});

describe('workers', () => {
  const COUNTING = 'let calls = 0; exports.handler = async () => ({ pid: process.pid, calls: ++calls });';

  test('stay warm and are reused', async () => {
    const pool = await functions.create(COUNTING);
    const answers = [await call(pool), await call(pool), await call(pool)].map(({ payload }) => payload);
    expect(answers.map(({ calls }) => calls)).toEqual([1, 2, 3]);
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(1);
    expect(pool.processes()).toMatchObject([{ pid: answers[0].pid, busy: false }]);
  });

  test('are as many as concurrent calls, each with its own temporary folder', async () => {
    // Each call ends only when the other has begun.
    const meeting = path.join(functions.folder, 'meeting');
    fs.mkdirSync(meeting);
    const pool = await functions.create(`const fs = require('node:fs');
      exports.handler = async (name) => {
        fs.writeFileSync('${meeting}/' + name, '');
        while (fs.readdirSync('${meeting}').length < 2) await new Promise(setImmediate);
        return { pid: process.pid, folder: require('node:os').tmpdir() };
      };`);
    const [a, b] = await Promise.all([call(pool, 'a'), call(pool, 'b')]);
    expect(a.payload.pid).not.toBe(b.payload.pid);
    expect(a.payload.folder).not.toBe(b.payload.folder);
    expect(pool.processes()).toHaveLength(2);
  });

  test('end together with the processes that they started', async () => {
    const pool = await functions.create(`exports.handler = async () => {
      const endless = ['-e', 'setInterval(() => {}, 1000)'];
      require('node:child_process').spawn(process.execPath, endless, { stdio: 'inherit' });
    };`);
    await call(pool);
    await pool.close();
    expect(pool.processes()).toEqual([]);
  });

  test('are gone, with their folders, after closing the pool', async () => {
    const pool = await functions.create(
      'exports.handler = async () => ({ pid: process.pid, folder: process.env.TMPDIR });',
    );
    const { pid, folder } = (await call(pool)).payload as { pid: number; folder: string };
    expect(fs.existsSync(folder)).toBe(true);
    await pool.close();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(fs.existsSync(folder)).toBe(false);
    await expect(call(pool)).rejects.toThrow('the local cloud is closed');
  });
});

describe('failures', () => {
  test('of a handler are returned with their type, message and trace', async () => {
    const pool = await functions.create(`class InvalidInput extends Error { name = 'InvalidInput' }
      exports.handler = async () => { throw new InvalidInput('{"slice":0}') };`);
    const { functionError, payload } = await call(pool);
    expect(functionError).toBe('Unhandled');
    expect(payload).toMatchObject({ errorType: 'InvalidInput', errorMessage: '{"slice":0}' });
    expect(payload.trace).toBeInstanceOf(Array);
  });

  test('of a handler leave the worker warm', async () => {
    const pool = await functions.create(
      'exports.handler = async (fail) => { if (fail) throw new Error("x"); return process.pid; };',
    );
    await call(pool, true);
    const [{ pid }] = pool.processes();
    expect((await call(pool, false)).payload).toBe(pid);
  });

  test('to load the code are returned to every call', async () => {
    const pool = await functions.create('throw new RangeError("no such model");');
    for (let i = 0; i < 2; i++) {
      const { payload } = await call(pool);
      expect(payload).toMatchObject({ errorType: 'RangeError', errorMessage: 'no such model' });
    }
    expect(pool.processes()).toEqual([]);
  });

  test('to find the handler are Runtime.HandlerNotFound', async () => {
    const pool = await functions.create('exports.other = 1;');
    expect((await call(pool)).payload).toMatchObject({ errorType: 'Runtime.HandlerNotFound' });
  });

  test('outside the handler are returned before the process ends', async () => {
    const pool = await functions.create(`exports.handler = () => new Promise(() => {
      setImmediate(() => { throw new TypeError('thrown aside'); });
    });`);
    expect((await call(pool)).payload).toMatchObject({
      errorType: 'TypeError',
      errorMessage: 'thrown aside',
    });
    expect(pool.processes()).toEqual([]);
  });

  test('of a killed process are Runtime.ExitError, and the next call gets a new process', async () => {
    const marker = path.join(functions.folder, 'running');
    const pool = await functions.create(`exports.handler = async (wait) => {
      require('node:fs').writeFileSync('${marker}', '');
      if (wait) await new Promise((resolve) => setTimeout(resolve, 1e6));
      return process.pid;
    };`);
    const hanging = call(pool, true);
    await appears(marker);
    const [{ pid, busy }] = pool.processes();
    expect(busy).toBe(true);
    process.kill(pid, 'SIGKILL');
    const { payload } = await hanging;
    expect(payload.errorType).toBe('Runtime.ExitError');
    expect(payload.errorMessage).toMatch(/^RequestId: .* Error: Runtime exited with error: signal: killed$/);
    expect((await call(pool, false)).payload).not.toBe(pid);
  });

  test.each([
    ['process.exit(3)', 'Runtime exited with error: exit status 3'],
    ['process.exit(0)', 'Runtime exited without providing a reason'],
    ['process.abort()', 'Runtime exited with error: signal: aborted'],
  ])('of %s in a handler are Runtime.ExitError', async (statement, message) => {
    const pool = await functions.create(`exports.handler = async () => { ${statement}; };`);
    const { payload } = await call(pool);
    expect(payload.errorType).toBe('Runtime.ExitError');
    expect(payload.errorMessage).toContain(message);
  });
});

describe('payloads above 6 MB', () => {
  test('are refused in requests', async () => {
    const pool = await functions.create('exports.handler = async () => 1;');
    await expect(call(pool, 'x'.repeat(6_291_455))).rejects.toMatchObject({
      name: 'Lambda.RequestEntityTooLargeException',
      message: expect.stringMatching(
        /^Request must be smaller than 6291456 bytes for the InvokeFunction operation \(.* Status Code: 413;/,
      ) as string,
    });
    expect(pool.processes()).toEqual([]);
  });

  test('are errors in responses', async () => {
    const pool = await functions.create('exports.handler = async (size) => "x".repeat(size);');
    expect((await call(pool, 6_291_554)).payload).toHaveLength(6_291_554);
    expect((await call(pool, 6_291_555)).payload).toMatchObject({
      errorType: 'Function.ResponseSizeTooLarge',
    });
  });
});

describe('the end of idle sandboxes', () => {
  test('makes the next call a cold one, with an empty folder and new access to S3', async () => {
    const ended: string[] = [];
    let admitted = 0;
    const admit = () => {
      const id = `id-${admitted++}`;
      return { environment: { AWS_ACCESS_KEY_ID: id }, end: () => ended.push(id) };
    };
    const pool = await functions.create(
      `const { readdirSync, writeFileSync } = require('node:fs');
      exports.handler = async () => {
        const found = readdirSync(process.env.TMPDIR);
        writeFileSync(process.env.TMPDIR + '/file', '');
        return { found, id: process.env.AWS_ACCESS_KEY_ID };
      };`,
      {},
      undefined,
      { admit },
    );
    expect((await call(pool)).payload).toEqual({ found: [], id: 'id-0' });
    expect((await call(pool)).payload).toEqual({ found: ['file'], id: 'id-0' });
    await pool.endIdle();
    expect([ended, pool.processes()]).toEqual([['id-0'], []]);
    expect((await call(pool)).payload).toEqual({ found: [], id: 'id-1' });
  });

  test('leaves a sandbox that runs a call', async () => {
    const marker = path.join(functions.folder, 'kept-running');
    const goOn = path.join(functions.folder, 'go-on');
    const pool = await functions.create(`const fs = require('node:fs');
      exports.handler = async () => {
        fs.writeFileSync('${marker}', '');
        while (!fs.existsSync('${goOn}')) await new Promise(setImmediate);
        return process.pid;
      };`);
    const running = call(pool);
    await appears(marker);
    await pool.endIdle();
    fs.writeFileSync(goOn, '');
    const { payload } = await running;
    expect(pool.processes()).toMatchObject([{ pid: payload }]);
  });
});
