/** Runs a whole model once with the profiler, to learn the sizes that depend on data. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { TensorSpec } from '../../contract/tensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import type { SizesAnswer, SizesJob } from '../../lib/shapes/data-sizes';
import { usedDimensions } from '../../lib/shapes/value-types';
import type { Sessions } from '../onnx-jobs/answer';
import { readInputs } from '../tensor-files';
import { candidateInputs, describeInputs } from '../verify/seeded-inputs';
import { readRun } from './events';
import { NodeLabels, labelNodes } from './label-nodes';

/** Uses the first inputs on which the model runs. If it runs on none, answers why it fails on the first. */
export async function measureSizes(
  { model, weightsFolder, names, specs, dimensions, inputs: file }: SizesJob,
  sessions: Sessions,
): Promise<SizesAnswer | { readonly refusal: string } | { readonly error?: string }> {
  const labels = new NodeLabels(randomBytes(8).toString('hex'));
  const nodes = new Map(names.map((name, node) => [name, node]));
  const labeled = labelNodes(fs.readFileSync(model), labels, (value) => nodes.get(value));
  const generated = { specs, dimensions, planned: dimensions, seed: 0 };
  const candidates = file === undefined ? candidateInputs(generated) : await inputsOf(file, specs);
  if (typeof candidates === 'string') return { refusal: candidates };
  let error: string | undefined;
  for (const inputs of candidates) {
    const folder = fs.mkdtempSync(`${model}.events-`);
    const profilePrefix = path.join(folder, 'events');
    // A new session each time: a failed run may have advanced the generators of seeded random operators.
    const settings = { weightsFolder, threads: 1, prepacking: false, profilePrefix };
    const session = await sessions.open({ path: labeled, ...settings });
    const failure = await session.run(inputs, session.outputNames).then(
      () => undefined,
      (cause: unknown) => (cause as Error).message,
    );
    session.endProfiling();
    await session.release();
    error ??= failure;
    if (failure !== undefined) continue;
    const run = await readRun(path.join(folder, fs.readdirSync(folder)[0]), labels);
    if (run === undefined)
      return { error: 'it runs more nodes than the profiler of ONNX Runtime can record' };
    return {
      inputs: describeInputs(inputs),
      dimensions: usedDimensions(specs, inputs),
      nodes: Object.fromEntries([...run].map(([node, own]) => [names[node], own])),
    };
  }
  const label = new RegExp(`${labels.mark}:(\\d+)`, 'g');
  return { error: error?.replaceAll(label, (_, node: string) => names[Number(node)]) };
}

/** Or why the model cannot run on them. */
async function inputsOf(
  file: string,
  specs: readonly TensorSpec[],
): Promise<[ReadonlyMap<string, RawTensor>] | string> {
  try {
    return [await readInputs(file, specs)];
  } catch (error) {
    return (error as Error).message;
  }
}
