/** The results that runs must have: what ONNX Runtime computes on the whole model. None of the code that slices and runs it takes part. */
import { createHash } from 'node:crypto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ORT_LEVELS } from '../../lib/optimize/level';
import type { SlicePlan } from '../../lib/plan/file/plan';

/** The inputs of a request, which are all float32. */
export type Inputs = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
>;

/** Runs the file of the unsliced model, and returns the fingerprints of the results by request. */
export async function wholeModelResults(
  modelPath: string,
  { threads, graphOptimization }: Pick<SlicePlan, 'threads' | 'graphOptimization'>,
  requests: readonly Inputs[],
): Promise<string[]> {
  const session = await InferenceSession.create(modelPath, {
    graphOptimizationLevel: ORT_LEVELS[graphOptimization],
    intraOpNumThreads: threads,
    extra: { session: { disable_prepacking: '1' } },
  });
  const prints: string[] = [];
  for (const inputs of requests) {
    const feeds = Object.entries(inputs).map(
      ([name, { shape, data }]) => [name, new Tensor('float32', data, shape)] as const,
    );
    const results = Object.entries(await session.run(Object.fromEntries(feeds)));
    prints.push(
      fingerprint(results.map(([name, { type, dims, data }]) => [name, type, dims, data as Float32Array])),
    );
  }
  await session.release();
  if (new Set(prints).size < prints.length)
    throw new Error(`two requests of ${modelPath} have the same result`);
  return prints;
}

type Result = readonly [
  name: string,
  dtype: string,
  shape: readonly number[],
  elements: Float32Array | Uint8Array,
];

/** Identifies names, types, shapes and bits of tensors, in any order. */
export function fingerprint(results: readonly Result[]): string {
  const hash = createHash('sha256');
  for (const [name, dtype, shape, elements] of [...results].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(JSON.stringify([name, dtype, shape])).update(elements);
  return hash.digest('hex');
}
