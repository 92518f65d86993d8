/** Runs whole models and chains of slices in this process, with the session settings of the slice functions. */
import * as path from 'node:path';
import { compareTensor } from '../../bin/verify/difference';
import { withSpecialValues } from '../../bin/verify/seeded-inputs';
import { Session } from '../../lambda/slice/session';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import type { CompiledModel } from '../../lib/emit/slice';
import { type OptimizationLevel, ORT_LEVELS } from '../../lib/optimize/level';
import { mostSlices } from './most-slices';
import { count } from '../../lib/plan/slicers';
import { runChain } from '../../local/cloud/run-chain';
import { writtenPlan } from './written-plan';

export type Tensors = ReadonlyMap<string, RawTensor>;

/** Returns all outputs of the model at `file`; ignores feeds that the model does not read. */
export function runWhole(
  file: string,
  feeds: Tensors,
  optimization: OptimizationLevel = 'none',
): Promise<Map<string, RawTensor>> {
  return run(file, feeds, { graphOptimizationLevel: ORT_LEVELS[optimization] });
}

/** Runs the slices one after the other and returns all outputs of the model that they were cut from. */
export async function runSlices(compiled: CompiledModel, feeds: Tensors): Promise<Map<string, RawTensor>> {
  const { plan, folder } = writtenPlan(compiled);
  return runChain(plan, feeds, (slice, inputs) =>
    run(path.join(folder, plan.slices[slice].model.file), inputs),
  );
}

/**
 * Runs the model whole and in each possible number of slices, and returns the largest number. Even numbers of slices get NaN, infinities, -0.0 and
 * denormals among their floats too, where the model runs on these.
 */
export async function expectSameBitsInEveryCut(
  file: string,
  feeds: Tensors,
  optimization: OptimizationLevel = 'none',
): Promise<number> {
  const ordinary = { feeds, whole: await runWhole(file, feeds, optimization) };
  const special = withSpecialValues(feeds, 'all', 0);
  const onSpecial = await runWhole(file, special, optimization).catch(() => undefined);
  const analyzed = analyzeModel(file, { optimization });
  const most = mostSlices(analyzed.cuts);
  for (let slices = 1; slices <= most; slices++) {
    const request =
      slices % 2 === 0 && onSpecial !== undefined ? { feeds: special, whole: onSpecial } : ordinary;
    expectSameBits(await runSlices(compileAnalyzed(analyzed, count(slices)), request.feeds), request.whole);
  }
  return most;
}

/** Compares by bits. Jest's own equality takes minutes for the outputs of real models. */
export function expectSameBits(got: Tensors, expected: Tensors): void {
  const described = (tensors: Tensors) =>
    [...tensors].map(([name, { dtype, shape }]) => `${name}: ${dtype}[${shape.join()}]`).sort();
  expect(described(got)).toEqual(described(expected));
  expect(differingOutputs(got, expected)).toEqual([]);
}

/** Returns the names of the expected tensors whose dtype, shape or bits differ. */
export function differingOutputs(got: Tensors, expected: Tensors): string[] {
  return [...expected]
    .filter(([name, tensor]) => !compareTensor(name, tensor, got.get(name)).identical)
    .map(([name]) => name);
}

async function run(
  file: string,
  feeds: Tensors,
  settings: { readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' } = {},
): Promise<Map<string, RawTensor>> {
  const session = await Session.open({ path: file, threads: 1, ...settings });
  const given = new Map([...feeds].filter(([name]) => session.inputNames.includes(name)));
  try {
    return await session.run(given, session.outputNames);
  } finally {
    await session.release();
  }
}
