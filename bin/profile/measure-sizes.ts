/** Runs a whole model once with the profiler, to learn the sizes that depend on data. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { RawTensor } from '../../lambda/tensors/tensor';
import type { RunNode, SizesAnswer, SizesJob } from '../../lib/shapes/data-sizes';
import type { Sessions } from '../onnx-jobs/answer';
import { readTensorFile } from '../tensor-files';
import { candidateInputs, describeInputs } from '../verify/seeded-inputs';
import { readFirstRun } from './events';
import { NodeLabels, labelNodes } from './label-nodes';

/** Uses the first inputs on which the model runs. @throws Error that says why it fails on the first ones, if it runs on none */
export async function measureSizes(job: SizesJob, sessions: Sessions): Promise<SizesAnswer> {
  const labels = new NodeLabels(randomBytes(8).toString('hex'));
  const nodes = new Map(job.named.map((name, node) => [name, node]));
  const model = labelNodes(fs.readFileSync(job.model), labels, (value) => nodes.get(value));
  let failure: Error | undefined;
  let tried = 0;
  for (const inputs of await inputsOf(job)) {
    const profilePrefix = path.join(job.folder, `events-${tried++}-`);
    // A new session each time: a failed run may have advanced the generators of seeded random operators.
    const session = await sessions.open({
      ...{ path: model, weightsFolder: job.weightsFolder, profilePrefix },
      ...{ threads: 1, prepacking: false },
    });
    const hasRun = await session.run(inputs, job.outputNames).then(
      () => true,
      ({ message }: Error) => {
        failure ??= new Error(labels.withNames(message, job.named));
        return false;
      },
    );
    session.endProfiling();
    await session.release();
    if (hasRun) return { inputs: describeInputs(inputs), nodes: await nodesOf(job, profilePrefix, labels) };
  }
  throw failure ?? new Error('there are no inputs to try');
}

async function inputsOf({
  inputs,
  specs,
  dimensions,
}: SizesJob): Promise<Iterable<ReadonlyMap<string, RawTensor>>> {
  if (inputs !== undefined) return [await readTensorFile(inputs, specs)];
  return candidateInputs({ specs, dimensions, planned: dimensions, seed: 0 });
}

async function nodesOf(
  { folder, named }: SizesJob,
  prefix: string,
  labels: NodeLabels,
): Promise<Readonly<Record<string, RunNode>>> {
  const file = fs.readdirSync(folder).find((name) => name.startsWith(path.basename(prefix)));
  const nodes = file && (await readFirstRun(path.join(folder, file), labels));
  if (!nodes) throw new Error('it runs more nodes than the profiler of ONNX Runtime can record');
  return Object.fromEntries(nodes.map(({ node, ...run }) => [named[node], run]));
}
