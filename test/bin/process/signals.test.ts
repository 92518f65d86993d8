import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeTensorFile } from '../../../bin/tensor-files';
import { FLOAT, mlp, node, saveModel, temporaryFolder, value } from '../../support/model-builder';
import { endless } from '../../support/command-models';
import { synthesize } from '../../support/pipeline-assembly';
import type { CliResult } from '../../support/run-cli';
import { cli } from '../../support/run-cli';
import { float32 } from '../../support/tensors';

/** Resolves once `isSo`, which is asked again and again. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

function filesBelow(folder: string): string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

/** Runs a command and ends it by a signal as soon as its temporary files are so. */
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

/** Folders may go while they are read. */
function files(folder: string): string[] {
  try {
    return filesBelow(folder);
  } catch {
    return [];
  }
}

/** Processes that were started with this folder for temporary files, where the system can tell. */
function survivors(temporary: string): string[] {
  if (!fs.existsSync('/proc/self/environ')) return [];
  return fs.readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && fs.readFileSync(`/proc/${entry}/environ`, 'utf8').includes(temporary);
    } catch {
      // It has ended, or belongs to someone else.
      return false;
    }
  });
}

/** JavaScript that blocks its thread for a while. */
const SLEEP = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)';

const INTERRUPTED = { code: null, stdout: '', stderr: '', leftovers: [], survivors: [] };

describe('a command that is interrupted leaves nothing behind', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('slice, by %s, before it writes', async (signal) => {
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
  });

  it('slice, while it writes', async () => {
    // 256 MB of holes: as long to copy as other weights, and no place on the disk for the original.
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

  it('verify, while the model runs', async () => {
    const args = ['verify', saveModel(endless()), '--slices', '2'];
    const isRunning = (temporary: readonly string[]) => temporary.some((file) => file.endsWith('whole.json'));
    expect(await interrupt(args, isRunning)).toEqual({ ...INTERRUPTED, signal: 'SIGINT' });
  });

  it('run, while a function runs', async () => {
    const folder = temporaryFolder();
    const inputs = path.join(folder, 'x.npz');
    await writeTensorFile(inputs, new Map([['x', float32([1, 4])]]));
    const assembly = synthesize({ Endless: { modelPath: saveModel(endless()), slices: 2 } });
    const args = ['run', assembly, '--inputs', inputs, '--out', path.join(folder, 'y.npz')];
    // The function has fetched its model.
    const isRunning = (temporary: readonly string[]) =>
      temporary.some((file) => file.includes('workers') && file.endsWith('.onnx'));
    expect(await interrupt(args, isRunning)).toEqual({ ...INTERRUPTED, signal: 'SIGINT' });
    expect(fs.readdirSync(folder)).toEqual(['x.npz']);
  });
});
