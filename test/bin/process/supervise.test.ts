import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeTensorFile } from '../../../bin/tensor-files';
import { FLOAT, mlp, node, saveModel, temporaryFolder, value } from '../../support/model-builder';
import { endless } from '../../support/command-models';
import { synthesize } from '../../support/pipeline-assembly';
import { type CliResult, cli } from '../../support/run-cli';
import { float32 } from '../../support/tensors';

/** Polls `isSo` until it returns true. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

function filesBelow(folder: string): string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

/** Runs a command and sends it a signal as soon as `isAmidst` accepts the list of its temporary files. */
async function interrupt(
  args: readonly string[],
  isAmidst: (temporaryFiles: readonly string[]) => boolean,
  { signal = 'SIGINT', env = {} }: { signal?: NodeJS.Signals; env?: Readonly<Record<string, string>> } = {},
): Promise<CliResult & { readonly survivors: readonly string[] }> {
  let folder = '';
  const result = await cli(args, {
    env,
    onStart: (child, temporary) => {
      folder = temporary;
      void until(() => child.exitCode !== null || isAmidst(files(temporary))).then(() => child.kill(signal));
    },
  });
  await until(() => survivors(folder).length === 0);
  return { ...result, survivors: survivors(folder) };
}

/** Folders may disappear while they are read. */
function files(folder: string): string[] {
  try {
    return filesBelow(folder);
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

const INTERRUPTED = { code: null, stdout: '', stderr: '', leftovers: [], survivors: [] };

describe('an interrupted command leaves neither files nor processes behind:', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'slice, stopped by %s before it writes',
    async (signal) => {
      const folder = temporaryFolder();
      const args = ['slice', saveModel(mlp(3)), '--slices', '3', '--out', path.join(folder, 'a/b')];
      // ONNX Runtime does not answer, so that the command cannot end before the signal.
      const preload = path.join(temporaryFolder(), 'hang.cjs');
      fs.writeFileSync(preload, `if (process.argv[1]?.endsWith('infer-child.js')) for (;;) ${SLEEP};`);
      const env = { NODE_OPTIONS: `--require ${preload}` };
      expect(await interrupt(args, (temporary) => temporary.length > 0, { signal, env })).toEqual({
        ...INTERRUPTED,
        signal,
      });
      expect(fs.readdirSync(folder)).toEqual([]);
    },
  );

  it('slice, stopped while it writes', async () => {
    // A sparse file of 256 MB takes as long to copy as other weights, but no disk space.
    const folder = temporaryFolder();
    const width = 2 ** 13;
    fs.writeFileSync(path.join(folder, 'w.bin'), '');
    fs.truncateSync(path.join(folder, 'w.bin'), width * width * 4);
    const externalData = [{ key: 'location', value: 'w.bin' }];
    const model = saveModel(
      {
        graph: {
          node: [node('MatMul', ['x', 'w'], ['h']), node('Tanh', ['h'], ['y'])],
          initializer: [{ name: 'w', dataType: FLOAT, dims: [width, width], dataLocation: 1, externalData }],
          input: [value('x', FLOAT, [1, width])],
          output: [value('y', FLOAT, [1, width])],
        },
      },
      'model.onnx',
      folder,
    );
    const isWriting = () => files(folder).some((file) => file.endsWith('.weights'));
    expect(await interrupt(['slice', model, '--out', path.join(folder, 'a/b')], isWriting)).toEqual({
      ...INTERRUPTED,
      signal: 'SIGINT',
    });
    expect(fs.readdirSync(folder).sort()).toEqual(['model.onnx', 'w.bin']);
  });

  it('verify, stopped while the model runs', async () => {
    const args = ['verify', saveModel(endless()), '--slices', '2'];
    const isRunning = (temporary: readonly string[]) => temporary.some((file) => file.endsWith('whole.json'));
    expect(await interrupt(args, isRunning)).toEqual({ ...INTERRUPTED, signal: 'SIGINT' });
  });

  it('run, stopped while a function runs', async () => {
    const folder = temporaryFolder();
    const inputs = path.join(folder, 'x.npz');
    await writeTensorFile(inputs, new Map([['x', float32([1, 4])]]));
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

/** Starts a program that supervises the command, in a process group of its own. */
function startSupervisor(watch: string, command: readonly string[] = []) {
  const script = path.join(temporaryFolder(), 'script.cjs');
  fs.writeFileSync(script, SLOW_CLEAN_UP);
  const program = `
    const { supervise } = require(${JSON.stringify(path.join(PROCESS_FILES, 'supervise.js'))});
    const { watchParent } = require(${JSON.stringify(path.join(PROCESS_FILES, 'parent-watch.js'))});
    void supervise(${JSON.stringify(script)}, [], ${watch});
  `;
  const main = path.join(temporaryFolder(), 'main.cjs');
  fs.writeFileSync(main, program);
  const [file, ...args] = [...command, process.execPath, main];
  const child = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  return { child, isReady: () => stdout.startsWith('ready'), stdout: () => stdout };
}

(process.platform === 'win32' ? describe.skip : describe)('a command cleans up to its end,', () => {
  it.each(['SIGTERM', 'SIGHUP'] as const)('when %s stops its parent too', async (signal) => {
    // The second command keeps the shell from becoming the supervisor.
    const { child, isReady, stdout } = startSupervisor('watchParent', ['sh', '-c', '"$@"; :', 'sh']);
    // The supervisor has the shell's end of standard output.
    const closed = once(child, 'close');
    await until(isReady);
    process.kill(-Number(child.pid), signal);
    await closed;
    expect({ signal: child.signalCode, stdout: stdout() }).toEqual({ signal, stdout: 'ready, cleaned up' });
  });

  it.each([
    ['before', 'prependListener'],
    ['after', 'on'],
  ])('when the watch reports the end of the parent %s the signal', async (_order, listen) => {
    const watch = `(onEnd) => {
      process.${listen}('SIGTERM', onEnd);
      return () => process.off('SIGTERM', onEnd);
    }`;
    const { child, isReady, stdout } = startSupervisor(watch);
    const closed = once(child, 'close');
    await until(isReady);
    child.kill('SIGTERM');
    await closed;
    expect({ signal: child.signalCode, stdout: stdout() }).toEqual({
      signal: 'SIGTERM',
      stdout: 'ready, cleaned up',
    });
  });

  it('when SIGHUP comes beside another signal, from the shell or from the system', async () => {
    const { child, isReady, stdout } = startSupervisor('undefined');
    const closed = once(child, 'close');
    await until(isReady);
    child.kill('SIGTERM');
    child.kill('SIGHUP');
    await closed;
    expect(stdout()).toBe('ready, cleaned up');
  });
});
