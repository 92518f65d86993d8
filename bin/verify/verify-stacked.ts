/** Compares the bits of items that are stacked into one request with those of the same items alone. */
import { batchDimension } from '../../lib/plan/batch-dimension';
import { stackingToken } from '../../lib/plan/stacking-token';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import type { OptimizationLevel } from '../../lib/optimize/level';
import { type VerifyOptions, threadsOf, withSlices } from './run-both';
import { wholeModels } from './whole-model';
import { type JobWording, type StackedAnswer, runJob } from './run-job';

export interface StackingVerification extends StackedAnswer {
  /** Whether each item has the bits that it has alone: in stacks of 2 to `items` items, and in one of `items` that the slices run. */
  readonly identical: boolean;
  /** For `Stacking.verified`, if the bits are identical. It holds for items with the shapes of `inputs`, and for no others. */
  readonly token?: string;
  readonly items: number;
  /** The dimension along which items are stacked. */
  readonly dimension: string;
  readonly slices: number;
  readonly threads: number;
  readonly graphOptimization: OptimizationLevel;
  readonly profileDifferences: readonly string[];
}

type StackedOptions = Omit<VerifyOptions, 'againstDefault' | 'inputs'> & { readonly items: number };

/** @throws SlicedInferenceError when the model or the slicing is unusable, or items cannot be stacked */
export async function verifyStacked(
  modelPath: string,
  options: StackedOptions,
): Promise<StackingVerification> {
  const { slicer, optimization, seed, items, onStep } = options;
  onStep(`reading ${modelPath}`);
  const analyzed = analyzeModel(modelPath, {
    dimensions: options.dimensions,
    optimization,
    ...options.estimates,
  });
  const compiled = compileAnalyzed(analyzed, slicer);
  const dimension = batchDimension(compiled.plan.inputs, compiled.plan.outputs);
  const [dimensions, planned] = [options.dimensions, compiled.plan.dimensions].map((sizes) => ({
    ...sizes,
    [dimension]: 1,
  }));
  return await withSlices(compiled, onStep, async ({ plan, folder, slicesFolder }) => {
    const threads = threadsOf(plan, options.threads);
    onStep(`running ${items} items alone and stacked`);
    const { stacked } = await runJob(
      {
        ...{ kind: 'stacked', slicesFolder, threads, prepacking: analyzed.costs.prepacking, items },
        ...wholeModels(modelPath, analyzed, folder).reference,
        outputNames: plan.outputs.map(({ name }) => name),
        generated: { specs: plan.inputs, dimensions, planned, seed },
      },
      STACKED,
      { folder, model: analyzed.model },
    );
    if (stacked === undefined) throw new Error('the job compares stacks or fails');
    const identical = stacked.different === 0;
    return {
      identical,
      ...(identical && { token: stackingToken({ ...plan, threads }, items) }),
      ...{ items, dimension, slices: plan.slices.length, threads },
      graphOptimization: plan.graphOptimization,
      ...stacked,
      profileDifferences: analyzed.profile?.differences ?? [],
    };
  });
}

const STACKED: JobWording = {
  what: 'the whole model and the slices must run in ONNX Runtime on generated items, alone and stacked',
  advice: 'set the sizes of symbolic dimensions with --dimension, or do not stack items',
};
