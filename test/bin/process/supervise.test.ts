import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeTensorFile } from '../../../bin/tensor-files';
import { fileWith } from '../../support/changed-json';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { endless } from '../../support/command-models';
import { synthesize } from '../../support/pipeline-assembly';
import { type CliResult, cli } from '../../support/run-cli';
import { sparseModel } from '../../support/sparse-model';
import { float32 } from '../../support/tensors';
import { until } from '../../support/until';

/** Runs a command and sends it a signal as soon as `isAmidst` accepts the list of its temporary files. */
async function interrupt(
  args: readonly string[],
  isAmidst: (temporaryFiles: readonly string[]) => boolean,
  { signal = 'SIGINT', env = {} }: { signal?: NodeJS.Signals; env?: Readonly<Record<string, string>> } = {},
): Promise<CliResult> {
  let folder = '';
  const result = await cli(args, {
    env,
    onStart: (child, temporary) => {
      folder = temporary;
      void until('files', () => child.exitCode !== null || isAmidst(files(temporary))).then(() =>
        child.kill(signal),
      );
    },
  });
  await until('no processes', () => survivors(folder).length === 0);
  return result;
}

/** Folders may disappear while they are read. */
function files(folder: string): string[] {
  try {
    return fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}

/** Processes that were started with this folder for temporary files, if the system has /proc. */
function survivors(temporary: string): string[] {
  if (!fs.existsSync('/proc/self/environ')) return [];
  return fs.readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && fs.readFileSync(`/proc/${entry}/environ`, 'utf8').includes(temporary);
    } catch {
      // The process has ended, or belongs to another user.
      return false;
    }
  });
}

/** JavaScript that blocks its thread for a while. */
const SLEEP = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)';

const INTERRUPTED = { code: null, stdout: '', stderr: '', leftovers: [] };

describe('an interrupted command leaves neither files nor processes behind:', () => {
  it.each(['SIGINT', 'SIGHUP'] as const)('slice, stopped by %s before it writes', async (signal) => {
    const folder = temporaryFolder();
    const args = ['slice', saveModel(mlp(3)), '--slices', '3', '--out', path.join(folder, 'a/b')];
    // ONNX Runtime does not answer, so that the command cannot end before the signal.
    const hang = `if (process.argv[1]?.endsWith('infer-child.js')) for (;;) ${SLEEP};`;
    const preload = fileWith(hang, 'hang.cjs');
    const env = { NODE_OPTIONS: `--require ${preload}` };
    expect(await interrupt(args, (temporary) => temporary.length > 0, { signal, env })).toEqual({
      ...INTERRUPTED,
      signal,
    });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('slice, stopped while it writes', async () => {
    // The weights of 256 MB take as long to copy as others, but no disk space.
    const model = sparseModel(1, 2 ** 13);
    const folder = temporaryFolder();
    const isWriting = () => files(folder).some((file) => file.endsWith('.weights'));
    expect(await interrupt(['slice', model, '--out', path.join(folder, 'a/b')], isWriting)).toEqual({
      ...INTERRUPTED,
      signal: 'SIGINT',
    });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('run, stopped while a function runs', async () => {
    const folder = temporaryFolder();
    const inputs = path.join(folder, 'x.npz');
    await writeTensorFile(inputs, new Map([['x', float32([1, 4], [0, 0, 0, 2000])]]));
    const assembly = synthesize({ Endless: { modelPath: saveModel(endless()), slices: 2 } });
    const args = ['run', assembly, '--inputs', inputs, '--out', path.join(folder, 'y.npz')];
    // By then the function has fetched its model.
    const isRunning = (temporary: readonly string[]) =>
      temporary.some((file) => file.includes('workers') && file.endsWith('.onnx'));
    expect(await interrupt(args, isRunning)).toEqual({ ...INTERRUPTED, signal: 'SIGINT' });
    expect(fs.readdirSync(folder)).toEqual(['x.npz']);
  });
});

/** A command that cleans up for longer than its supervisor takes to notice the end of its parent. */
const SLOW_CLEAN_UP = `
  process.once('SIGTERM', () => setTimeout(() => {
    process.stdout.write('cleaned up');
    process.exit();
  }, 400));
  setInterval(() => undefined, 1000);
  process.stdout.write('ready, ');
`;

const PROCESS_FILES = path.join(__dirname, '../../../dist/bin/process');

/** Starts a program that supervises the command, in a process group of its own. Returns how it ends after the signals. */
async function stopSupervisor(
  watch: string,
  stop: (child: ChildProcess) => void,
  command: readonly string[] = [],
): Promise<{ readonly signal: NodeJS.Signals | null; readonly stdout: string }> {
  const script = fileWith(SLOW_CLEAN_UP, 'script.cjs');
  const main = fileWith(
    `const { supervise } = require(${JSON.stringify(path.join(PROCESS_FILES, 'supervise.js'))});
     const { watchParent } = require(${JSON.stringify(path.join(PROCESS_FILES, 'parent-watch.js'))});
     void supervise(${JSON.stringify(script)}, [], ${watch});`,
    'main.cjs',
  );
  const [file, ...args] = [...command, process.execPath, main];
  const child = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  // The supervisor has the shell's end of standard output.
  const closed = once(child, 'close');
  await until('a command that is ready', () => stdout.startsWith('ready'));
  stop(child);
  await closed;
  return { signal: child.signalCode, stdout };
}

(process.platform === 'win32' ? describe.skip : describe)('a command cleans up to its end,', () => {
  const CLEAN = 'ready, cleaned up';

  it.each(['SIGTERM', 'SIGHUP'] as const)('when %s stops its parent too', async (signal) => {
    // The second command keeps the shell from becoming the supervisor.
    const shell = ['sh', '-c', '"$@"; :', 'sh'];
    const stop = ({ pid }: ChildProcess) => process.kill(-Number(pid), signal);
    expect(await stopSupervisor('watchParent', stop, shell)).toEqual({ signal, stdout: CLEAN });
  });

  it('when SIGHUP comes beside another signal, from the shell or from the system', async () => {
    const ended = await stopSupervisor('undefined', (child) => {
      child.kill('SIGTERM');
      child.kill('SIGHUP');
    });
    expect(ended.stdout).toBe(CLEAN);
  });
});
