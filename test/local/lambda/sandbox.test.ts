/** What survives in a sandbox when its process ends, and how it stands still between calls. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { FunctionPool } from '../../../local/lambda/function-pool';
import { canMeasureMemory } from '../../../local/lambda/process-memory';
import { functionFixture } from '../../support/function-fixture';
import { until } from '../../support/until';

const functions = functionFixture();

async function call(pool: FunctionPool, event: unknown = {}): Promise<Record<string, unknown>> {
  return JSON.parse((await pool.invoke(JSON.stringify(event))).payload) as Record<string, unknown>;
}

/** A letter: T is stopped. */
function stateOf(pid: number): string {
  if (process.platform !== 'linux')
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })[0];
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat[stat.lastIndexOf(')') + 2];
}

/** The signal arrives a little later than it is sent. */
async function reaches(pid: number, state: string): Promise<void> {
  await until(`the state ${state}`, () => stateOf(pid) === state);
}

describe('after a call that ended its process', () => {
  /** Writes a file into /tmp, counts calls in memory, and then ends as requested. */
  const ENDING = `
    const fs = require('node:fs'), path = require('node:path');
    const file = path.join(require('node:os').tmpdir(), 'kept');
    let calls = 0, kept;
    exports.handler = async (end) => {
      calls++;
      const found = fs.existsSync(file);
      fs.writeFileSync(file, 'x');
      if (end === 'crash') process.abort();
      if (end === 'hang') for (;;);
      if (end === 'memory') kept = Buffer.alloc(400 * 1024 * 1024, 1);
      return { calls, found, folder: process.env.TMPDIR, key: process.env.AWS_ACCESS_KEY_ID };
    };`;

  const endings: [end: string, errorType: string, options: { readonly timeoutSeconds?: number }][] = [
    ['crash', 'Runtime.ExitError', {}],
    ['hang', 'Sandbox.Timedout', { timeoutSeconds: 1 }],
  ];
  if (canMeasureMemory()) endings.push(['memory', 'Runtime.OutOfMemory', {}]);

  test.each(endings)(
    'by a %s, the next call finds the files in /tmp, and nothing else',
    async (end, errorType, options) => {
      const pool = await functions.create(ENDING, options);
      const before = await call(pool);
      expect(before).toMatchObject({ calls: 1, found: false });
      expect(await call(pool, end)).toMatchObject({ errorType });
      expect(pool.processes()).toEqual([]);
      expect(await call(pool)).toEqual({ ...before, calls: 1, found: true });
      expect(fs.readdirSync(path.dirname(String(before.folder)))).toContain(
        path.basename(String(before.folder)),
      );
    },
  );

  test('/tmp of another sandbox stays empty', async () => {
    const pool = await functions.create(ENDING);
    await call(pool, 'crash');
    const results = await Promise.all([call(pool), call(pool)]);
    expect(results.map(({ found }) => found).sort()).toEqual([false, true]);
  });
});

describe('the init phase', () => {
  /** Runs \`statement\` in the first process only. */
  function firstTime(statement: string): string {
    return `
      const fs = require('node:fs'), path = require('node:path');
      const marker = path.join(process.env.TMPDIR, 'started');
      if (!fs.existsSync(marker)) { fs.writeFileSync(marker, ''); ${statement} }
      exports.handler = async () => 'ready';`;
  }

  test.each([
    ['takes too long', 'for (;;);', 'Status: timeout'],
    ['fails', 'throw new RangeError("once");', 'Status: error\tError Type: RangeError'],
    ['ends the process', 'process.exit(3);', 'Status: error\tError Type: Runtime.ExitError'],
  ])('is repeated within the first call if it %s', async (_, statement, status) => {
    const lines: string[] = [];
    const options = { initSeconds: 3 };
    const pool = await functions.create(firstTime(statement), {}, (_name, line) => lines.push(line), options);
    expect(await call(pool)).toBe('ready');
    expect(lines).toContainEqual(
      expect.stringMatching(new RegExp(`^INIT_REPORT Init Duration: [\\d.]+ ms\\tPhase: init\\t${status}$`)),
    );
  });

  test('counts in the timeout of the call that repeats it', async () => {
    const source = 'for (;;); exports.handler = async () => 1;';
    const pool = await functions.create(source, { timeoutSeconds: 1 }, undefined, { initSeconds: 1 });
    expect(await call(pool)).toMatchObject({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(/ Task timed out after 1\.00 seconds$/) as string,
    });
  });
});

(process.platform === 'win32' ? describe.skip : describe)('between calls', () => {
  /** Ticks go on after the call as long as the process runs. */
  const TICKING = `
    let ticks = 0;
    setInterval(() => ticks++, 1).unref();
    exports.handler = async () => ({ pid: process.pid, ticks });`;

  test('a sandbox stands still, and runs again for the next call', async () => {
    const pool = await functions.create(TICKING);
    const { pid } = await call(pool);
    await reaches(Number(pid), 'T');
    expect((await call(pool)).pid).toBe(pid);
    await reaches(Number(pid), 'T');
  });

  test('the processes that a function started stand still too', async () => {
    const pool = await functions.create(`exports.handler = async () => {
      const endless = ['-e', 'setInterval(() => {}, 1000)'];
      return { pid: require('node:child_process').spawn(process.execPath, endless, { stdio: 'ignore' }).pid };
    };`);
    const { pid } = await call(pool);
    await reaches(Number(pid), 'T');
  });

  test('a sandbox keeps running if it must not freeze', async () => {
    const pool = await functions.create(TICKING, {}, undefined, { freezes: false });
    const { pid } = await call(pool);
    expect(stateOf(Number(pid))).not.toBe('T');
  });

  test('output of the call has arrived', async () => {
    const lines: string[] = [];
    const source = `exports.handler = async () => { for (let i = 0; i < 3000; i++) console.log('x'.repeat(100)); };`;
    const pool = await functions.create(source, {}, (_, line) => lines.push(line));
    await call(pool);
    await until('3000 lines', () => lines.filter((line) => line.includes('xxx')).length >= 3000);
  });

  test('the owner of the credentials is told', async () => {
    let frozen = 0;
    const admission = { environment: {}, onFrozen: () => frozen++, end: () => undefined };
    const pool = await functions.create(TICKING, {}, undefined, { admit: () => admission });
    await call(pool);
    await call(pool);
    expect(frozen).toBe(2);
  });
});

describe('a function', () => {
  test('gets no options of this Node.js, but those of its definition', async () => {
    const before = process.env.NODE_OPTIONS;
    process.env.NODE_OPTIONS = '--no-such-option';
    try {
      const source = 'exports.handler = async () => process.env.NODE_OPTIONS ?? null;';
      expect(await call(await functions.create(source))).toBeNull();
      const environment = { NODE_OPTIONS: '--max-old-space-size=200' };
      expect(await call(await functions.create(source, { environment }))).toBe('--max-old-space-size=200');
    } finally {
      if (before === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = before;
    }
  });

  test('has a JavaScript heap of half its memory, unless its definition sets another size', async () => {
    const source = `exports.handler = async () =>
      require('node:v8').getHeapStatistics().heap_size_limit / 1024 ** 2;`;
    const limit = Number(await call(await functions.create(source, { memoryMegabytes: 1000 })));
    expect(limit).toBeGreaterThanOrEqual(500);
    expect(limit).toBeLessThan(900);
    const environment = { NODE_OPTIONS: '--max-old-space-size=200' };
    const own = Number(await call(await functions.create(source, { memoryMegabytes: 1000, environment })));
    expect(own).toBeGreaterThanOrEqual(200);
    expect(own).toBeLessThan(500);
  });

  test('whose JavaScript heap is full is aborted by V8', async () => {
    const source =
      'exports.handler = async () => { for (const kept = []; ; ) kept.push(new Array(1e4).fill(1.5)); };';
    expect(await call(await functions.create(source))).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/Runtime exited with error: signal: aborted$/) as string,
    });
  });

  test('does not see the arguments of its worker', async () => {
    const pool = await functions.create('exports.handler = async () => process.argv.length;');
    expect(await call(pool)).toBe(2);
  });
});
