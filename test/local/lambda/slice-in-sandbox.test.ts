/** The real slice function in a sandbox whose disk is full, or that an earlier process left with half a file. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { WarmUp } from '../../../lib';
import { type LocalCloud, type LocalCloudOptions, infer } from '../../../local';
import { failed, rows, start, synthesize, trace } from '../../support/deployed-pipeline';
import { mlp, saveModel } from '../../support/model-builder';
import { runWhole } from '../../support/run-slices';
import { float32 } from '../../support/tensors';
import { until } from '../../support/until';

const MEGABYTE = 1024 ** 2;

/** Starts a local cloud of one slice. */
function deploy(modelPath: string, options: LocalCloudOptions = {}): Promise<LocalCloud> {
  const assembly = synthesize(modelPath, () => ({ warmUp: WarmUp.NEVER }));
  return start(assembly, options);
}

/** Fills the disk, except for so many bytes. */
function fill(sandbox: string, free: number): void {
  const file = fs.openSync(path.join(sandbox, 'filler'), 'w');
  const chunk = Buffer.alloc(MEGABYTE);
  for (let left = 512 * MEGABYTE - free; left > 0; left -= chunk.length) {
    fs.writeSync(file, chunk, 0, Math.min(left, chunk.length));
  }
  fs.closeSync(file);
}

/** The unfinished file of a download with at least a megabyte. */
function unfinished(sandbox: string): string | undefined {
  const folder = path.join(sandbox, 'sliced-inference');
  if (!fs.existsSync(folder)) return undefined;
  const sizeOf = (file: string): number => fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .find((file) => file.endsWith('.part') && sizeOf(file) > MEGABYTE);
}

test('a full /tmp is a named failure with advice, and the next call recovers when there is room', async () => {
  const modelPath = saveModel(mlp(2));
  const cloud = await deploy(modelPath);
  expect(await infer(cloud, rows(1, 1))).toMatchObject({ status: 'SUCCEEDED' });
  const [{ pid, temporaryFolder: sandbox }] = cloud.workers();
  process.kill(pid, 'SIGKILL');
  await until('the end of the worker', () => cloud.workers().length === 0);
  fs.rmSync(path.join(sandbox, 'sliced-inference'), { recursive: true });
  fill(sandbox, 0);
  const request = {
    version: 1,
    inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data: Array(16).fill(1) } } },
  };
  expect(failed(await cloud.execute(request))).toMatchObject({
    error: 'SliceFailed',
    cause: { message: 'the function has no space left in /tmp: raise its ephemeral storage size' },
  });
  fs.rmSync(path.join(sandbox, 'filler'));
  const result = await infer(cloud, rows(3, 1));
  expect(result).toMatchObject({ status: 'SUCCEEDED', outputs: await runWhole(modelPath, rows(3, 1)) });
});

test('a process that is killed while it downloads leaves a part of a file, which the next one removes for room', async () => {
  const width = 1500;
  const weights = width * width * 4;
  const modelPath = saveModel(mlp(1, width));
  const values = Array.from({ length: width }, (_, i) => Math.sin(i));
  const inputs = new Map([['x', float32([1, width], values)]]);
  const network = { connectionBytesPerSecond: 8e6, functionBytesPerSecond: 8e6 };
  const cloud = await deploy(modelPath, { simulation: { network } });
  trace.length = 0;
  const running = infer(cloud, inputs);
  const part = await until('a part', () => unfinished(cloud.workers().at(0)?.temporaryFolder ?? ''));
  const [{ pid, temporaryFolder }] = cloud.workers();
  // Stop it first, so that the download does not end meanwhile.
  process.kill(pid, 'SIGSTOP');
  fill(temporaryFolder, weights + MEGABYTE / 2);
  process.kill(pid, 'SIGKILL');
  expect(await running).toMatchObject({ status: 'SUCCEEDED', outputs: await runWhole(modelPath, inputs) });
  expect(trace.flatMap((event) => (event.type === 'TaskFailed' ? [event.error] : []))).toEqual([
    'Runtime.ExitError',
  ]);
  expect(fs.existsSync(part)).toBe(false);
  expect(cloud.workers()).toMatchObject([{ temporaryFolder }]);
});
