/** Kills a process with a local cloud, whose workers are frozen, and looks for survivors. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { builtFile } from '../../../lib/host/package-files';
import { limitedAssembly } from '../../support/limited-function';
import { useFolder } from '../../support/pipeline-app';
import { temporaryFolder } from '../../support/temporary-folder';

const root = temporaryFolder();
useFolder(root);

/** Runs one call, prints the workers' process ids and waits. The second worker is in a call. */
const PROGRAM = `
const { LocalCloud } = require(${JSON.stringify(builtFile('bundle/local.js'))});
LocalCloud.start(process.argv[1]).then(async (cloud) => {
  await Promise.all([cloud.execute({ ignore: 1 }), cloud.execute({ ignore: 2 })]);
  void cloud.execute({ hang: 1 });
  while (!cloud.workers().some(({ busy }) => busy)) await new Promise(setImmediate);
  console.log(JSON.stringify(cloud.workers().map(({ pid }) => pid)));
  setInterval(() => undefined, 1e6);
});`;

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

(process.platform === 'win32' ? describe.skip : describe)('a process with frozen and busy workers', () => {
  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('that %s ends leaves none of them', async (signal) => {
    const child = spawn(process.execPath, ['-e', PROGRAM, limitedAssembly()], {
      cwd: path.dirname(builtFile('bundle')),
      env: { ...process.env, TMPDIR: root },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const pids = JSON.parse(line) as number[];
    expect(pids.length).toBeGreaterThanOrEqual(2);
    expect(pids.every(isAlive)).toBe(true);
    child.kill(signal);
    await once(child, 'exit');
    while (pids.some(isAlive)) await new Promise(setImmediate);
  });
});
