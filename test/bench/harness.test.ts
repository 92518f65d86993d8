import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { temporaryFolder } from '../support/temporary-folder';

const HARNESS = path.join(__dirname, '../../dist/bench/harness.js');

describe("a benchmark's folder", () => {
  /** Runs a benchmark that writes a file into its folder, and returns what it leaves behind. */
  async function leftBy(work: string, signal?: NodeJS.Signals) {
    const parent = temporaryFolder();
    const script = `
      require(${JSON.stringify(HARNESS)}).inOwnFolder(${JSON.stringify(parent)}, 'bench', async (folder) => {
        require('node:fs').writeFileSync(process.env.TMPDIR + '/large', 'x');
        process.stdout.write('written');
        ${work}
      }).catch(() => { process.exitCode = 3; });`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    await once(child.stdout, 'data');
    if (signal !== undefined) child.kill(signal);
    const [code, endedBy] = (await exit) as [number | null, NodeJS.Signals | null];
    return { code, signal: endedBy, files: fs.readdirSync(parent) };
  }

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is removed when %s ends it', async (signal) => {
    const endless = 'await new Promise(() => setInterval(() => undefined, 1000));';
    expect(await leftBy(endless, signal)).toEqual({ code: null, signal, files: [] });
  });

  it.each([
    ['it ends', '', 0],
    ['it fails', "throw new Error('x');", 3],
  ])('is removed when %s', async (_, work, code) => {
    expect(await leftBy(work)).toEqual({ code, signal: null, files: [] });
  });
});
