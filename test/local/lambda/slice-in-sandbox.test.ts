/** The real slice function in a sandbox that an earlier process left with half a file, or whose connections are closed. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { WarmUp } from '../../../lib';
import { type LocalCloud, type LocalCloudOptions, infer } from '../../../local';
import { start, synthesize, trace } from '../../support/deployed-pipeline';
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

test('a process that is killed while it downloads leaves a part of a file, which does not harm the next one', async () => {
  const width = 1500;
  const modelPath = saveModel(mlp(1, width));
  const values = Array.from({ length: width }, (_, i) => Math.sin(i));
  const inputs = new Map([['x', float32([1, width], values)]]);
  const network = { connectionBytesPerSecond: 8e6, functionBytesPerSecond: 8e6 };
  const cloud = await deploy(modelPath, { simulation: { network } });
  trace.length = 0;
  const running = infer(cloud, inputs);
  await until('a part', () => unfinished(cloud.workers().at(0)?.temporaryFolder ?? ''));
  const [{ pid, temporaryFolder }] = cloud.workers();
  // Stop it first, so that the download does not end meanwhile.
  process.kill(pid, 'SIGSTOP');
  process.kill(pid, 'SIGKILL');
  expect(await running).toMatchObject({ status: 'SUCCEEDED', outputs: await runWhole(modelPath, inputs) });
  expect(trace.flatMap((event) => (event.type === 'TaskFailed' ? [event.error] : []))).toEqual([
    'Runtime.ExitError',
  ]);
  expect(cloud.workers()).toMatchObject([{ temporaryFolder }]);
});
