/** Cuts a model with too large layers, runs its slices, and compares them with the whole model and with the plan. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type RawTensor, decodeTensors, encodeTensors } from '../../client';
import type { PlannedSlice, SlicePlan } from '../../lib/plan/file/plan';
import { MEMORY_MB_PER_VCPU } from '../../lib/plan/sizes/lambda-quotas';
import { MIB } from '../../lib/cost/formulas/lambda';
import { deploy } from '../deployment';
import { inputsOf } from '../inputs';
import { run } from '../measure';
import { sliceModel, synthesize } from '../synthesize';
import type { LayerModel } from './model-file';
import type { LayerSubject } from './models';
import type { WholeRun } from './whole-child';

/** As `npm run bench:memory` judges. */
const TOLERATED_SHARE = 0.15;
const TOLERATED_BYTES = 25e6;

export const LAYERS_HEAD = [
  ...['model', 'MB', 'limit', 'parts', 'slices', 'largest / model', 'same bits', 'within memory'],
  ...['planned / measured', 'good'],
];

type Tensors = ReadonlyMap<string, RawTensor>;

/** @returns a row of the table */
export async function measureLayers(folder: string, subject: LayerSubject): Promise<string[]> {
  const [slices, outdir] = ['slices', 'assembly'].map((name) => path.join(folder, name));
  const model = subject.write(path.join(folder, 'model'));
  const plan = sliceModel(model, subject.limit, slices);
  const whole = runWhole(folder, model, plan);
  // The most memory with which functions have the threads of the plan.
  const memoryMb = plan.threads * MEMORY_MB_PER_VCPU;
  synthesize({ outdir, model, slices, memoryMb });
  const deployment = await deploy(model, outdir);
  try {
    // The functions need the room on the disk.
    fs.truncateSync(model.weightsFile);
    const result = await deployment.run();
    const peaks = result.timings.map(({ peakMemoryBytes }) => peakMemoryBytes);
    const isSame = isDeepStrictEqual(whole, await deployment.results(result));
    return rowOf(subject, model, plan, isSame, peaks);
  } finally {
    await deployment.close();
  }
}

function runWhole(folder: string, model: LayerModel, { threads, inputs: specs }: SlicePlan): Tensors {
  const [inputs, outputs] = ['inputs', 'outputs'].map((name) => path.join(folder, `${name}.safetensors`));
  fs.writeFileSync(inputs, encodeTensors(inputsOf(model, specs)));
  const job: WholeRun = { model: model.file, threads, inputs, outputs };
  run(process.execPath, [path.join(__dirname, 'whole-child.js'), JSON.stringify(job)]);
  return decodeTensors(fs.readFileSync(outputs));
}

function rowOf(
  { title, limit }: LayerSubject,
  { weightBytes }: LayerModel,
  { slices, splits = [] }: SlicePlan,
  isSame: boolean,
  peaks: readonly number[],
): string[] {
  const largest = Math.max(...slices.map((slice) => slice.weightBytes));
  const ratios = slices.map(({ peakMemoryBytes }, index) => peakMemoryBytes / peaks[index]);
  const count = (isCounted: (slice: PlannedSlice, peak: number) => boolean): string =>
    `${slices.filter((slice, index) => isCounted(slice, peaks[index])).length} of ${slices.length}`;
  return [
    ...[title, (weightBytes / 1e6).toFixed(0), limit.join(' ')],
    splits.map(({ operator, parts }) => `${operator} in ${parts.length}`).join('\n'),
    ...[String(slices.length), (largest / weightBytes).toFixed(3), isSame ? 'yes' : 'NO'],
    count(({ memoryMb }, peak) => peak <= memoryMb * MIB),
    `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    count(isGood),
  ];
}

function isGood({ peakMemoryBytes }: PlannedSlice, peak: number): boolean {
  return Math.abs(peakMemoryBytes - peak) <= Math.max(TOLERATED_BYTES, TOLERATED_SHARE * peak);
}
