/** Kills a process with a local cloud, whose workers are frozen, and looks for survivors and files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { builtFile } from '../../../lib/host/packages';
import { limitedAssembly } from '../../support/limited-function';
import { temporaryFolder } from '../../support/temporary-folder';
import { until } from '../../support/until';

const root = temporaryFolder();

/** Prints the workers' process ids and waits. */
function program(call: string): string {
  return `
const { LocalCloud } = require(${JSON.stringify(builtFile('bundle/local.js'))});
LocalCloud.start(process.argv[1]).then(async (cloud) => {
  ${call}
  console.log(JSON.stringify(cloud.workers().map(({ pid }) => pid)));
  process.on('SIGUSR2', () => process.exit());
  setInterval(() => undefined, 1e6);
});`;
}

/** The second worker is in a call. */
const CALLS = `
  await Promise.all([cloud.execute({ ignore: 1 }), cloud.execute({ ignore: 2 })]);
  void cloud.execute({ hang: 1 });
  while (!cloud.workers().some(({ busy }) => busy)) await new Promise(setImmediate);`;

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Starts the program with its own folder for temporary files, and returns what it printed. */
async function start(source: string) {
  const folder = fs.mkdtempSync(path.join(root, 'with spaces '));
  const child = spawn(process.execPath, ['-e', source, limitedAssembly()], {
    cwd: path.dirname(builtFile('bundle')),
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, folder, pids: JSON.parse(line) as number[] };
}

(process.platform === 'win32' ? describe.skip : describe)('a process with a local cloud', () => {
  test.each([
    ['SIGKILL', CALLS, 2],
    ['SIGTERM', CALLS, 2],
    // The program exits by itself.
    ['SIGUSR2', CALLS, 2],
    ['SIGKILL', '', 0],
  ] as const)('leaves no worker and no file when %s ends it', async (signal, calls, workers) => {
    const { child, folder, pids } = await start(program(calls));
    expect(pids.length).toBeGreaterThanOrEqual(workers);
    expect(pids.every(isAlive)).toBe(true);
    expect(fs.readdirSync(folder)).not.toEqual([]);
    child.kill(signal);
    await once(child, 'exit');
    await until('the end of the workers', () => !pids.some(isAlive));
    await until('an empty folder', () => fs.readdirSync(folder).length === 0);
  });
});
