/** What survives in a sandbox when its process ends, and how it stands still between calls. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { canMeasureMemory } from '../../../local/lambda/memory-watch';
import { call, functionFixture } from '../../support/function-fixture';
import { until } from '../../support/until';

const functions = functionFixture();

/** A letter: T is stopped. */
function stateOf(pid: number): string {
  if (process.platform !== 'linux')
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })[0];
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat[stat.lastIndexOf(')') + 2];
}

/** The signal arrives a little later than it is sent. */
async function stops(pid: number): Promise<void> {
  await until('the stop', () => stateOf(pid) === 'T');
}

describe('after a call that ended its process', () => {
  /** Writes a file into /tmp, counts calls in memory, and then ends as requested. */
  const ENDING = `
    const fs = require('node:fs'), path = require('node:path');
    const file = path.join(require('node:os').tmpdir(), 'kept');
    const TOO_MUCH = 400 * 1024 * 1024;
    let calls = 0, kept;
    exports.handler = async (end) => {
      calls++;
      const found = fs.existsSync(file);
      fs.writeFileSync(file, 'x');
      if (end === 'a crash') process.abort();
      if (end === 'a timeout') for (;;);
      if (end === 'too much memory') kept = Buffer.alloc(TOO_MUCH, 1);
      if (end === 'too much memory of its child') await new Promise(() => {
        const program = 'globalThis.kept = Buffer.alloc(' + TOO_MUCH + ', 1); setInterval(() => {}, 1e6)';
        require('node:child_process').spawn(process.execPath, ['-e', program], { stdio: 'inherit' });
      });
      return { calls, found, folder: process.env.TMPDIR, key: process.env.AWS_ACCESS_KEY_ID };
    };`;

  const CRASH = 'Runtime exited with error: signal: aborted';
  const KILLED = 'Runtime exited with error: signal: killed';
  const MEMORY = 'Max Memory Used: 256 MB\tStatus: error\tError Type: Runtime.OutOfMemory';
  const endings: [string, string, string, string, number?][] = [
    ['a crash', 'Runtime.ExitError', CRASH, 'Status: error\tError Type: Runtime.ExitError'],
    ['a timeout', 'Sandbox.Timedout', 'Task timed out after 1.00 seconds', 'Status: timeout', 1],
  ];
  // Other systems do not tell how much of a process's memory is anonymous.
  if (canMeasureMemory()) {
    endings.push(['too much memory', 'Runtime.OutOfMemory', KILLED, MEMORY]);
    endings.push(['too much memory of its child', 'Runtime.OutOfMemory', KILLED, MEMORY]);
  }

  test.each(endings)(
    'by %s, the next call finds the files in /tmp, and nothing else',
    async (end, errorType, message, report, timeoutSeconds = 30) => {
      const pool = await functions.create(ENDING, { timeoutSeconds });
      const before = await call(pool);
      expect(before).toMatchObject({ calls: 1, found: false });
      expect(await call(pool, end)).toEqual({
        errorType,
        errorMessage: expect.stringMatching(`^RequestId: [0-9a-f-]{36} Error: ${message}$`) as string,
      });
      expect(pool.log.text()).toMatch(
        new RegExp(`^REPORT RequestId: .*\tMemory Size: 256 MB\t.*${report}$`, 'm'),
      );
      expect(pool.processes()).toEqual([]);
      // /tmp of another sandbox stays empty.
      const results = await Promise.all([call(pool), call(pool)]);
      expect(results).toContainEqual({ ...before, found: true });
      expect(results.map(({ found }) => found).sort()).toEqual([false, true]);
    },
  );

  test('a call that ends by itself is reported with the init phase and the memory that it used', async () => {
    const pool = await functions.create(
      'exports.handler = async () => Buffer.alloc(20 * 1024 ** 2, 1).length;',
    );
    await call(pool);
    const [, used] =
      /^REPORT .*\tMax Memory Used: (\d+) MB\tInit Duration: [\d.]+ ms$/m.exec(pool.log.text()) ?? [];
    if (!canMeasureMemory()) return;
    expect(Number(used)).toBeGreaterThan(20);
    expect(Number(used)).toBeLessThan(256);
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
    ['takes too long', 'for (;;);'],
    ['fails', 'throw new RangeError("once");'],
    ['ends the process', 'process.exit(3);'],
  ])('is repeated within the first call if it %s', async (_, statement) => {
    const pool = await functions.create(firstTime(statement), {}, { initSeconds: 3 });
    expect(await call(pool)).toBe('ready');
  });

  test('counts in the timeout of the call that repeats it', async () => {
    const source = 'for (;;); exports.handler = async () => 1;';
    const pool = await functions.create(source, { timeoutSeconds: 1 }, { initSeconds: 1 });
    expect(await call(pool)).toMatchObject({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(/ Task timed out after 1\.00 seconds$/) as string,
    });
  });
});

(process.platform === 'win32' ? describe.skip : describe)('between calls', () => {
  const TICKING = `
    setInterval(() => undefined, 1).unref();
    const endless = ['-e', 'setInterval(() => {}, 1000)'];
    const { pid: child } = require('node:child_process').spawn(process.execPath, endless, { stdio: 'ignore' });
    exports.handler = async () => ({ pid: process.pid, child });`;

  test('a sandbox and its child processes stand still, its owner is told, and it runs again for the next call', async () => {
    let frozen = 0;
    const admission = { environment: {}, onFrozen: () => frozen++, end: () => undefined };
    const pool = await functions.create(TICKING, {}, { admit: () => admission });
    const { pid, child } = await call<{ pid: number; child: number }>(pool);
    await Promise.all([stops(pid), stops(child)]);
    expect((await call(pool)).pid).toBe(pid);
    await stops(pid);
    expect(frozen).toBe(2);
  });
});
