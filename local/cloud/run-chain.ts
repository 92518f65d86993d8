/** Runs the slices of a plan one after another in this process, without the local cloud. */
import type { RawTensor } from '../../lambda/tensors/tensor';
import type { PlannedSlice, SlicePlan } from '../../lib/plan/file/plan';

type Tensors = ReadonlyMap<string, RawTensor>;

type Chain = Pick<SlicePlan, 'outputs'> & { readonly slices: readonly Pick<PlannedSlice, 'inputs'>[] };

/**
 * Passes the tensors of the request and of earlier slices from slice to slice.
 * @param runSlice runs the slice with this index on the inputs that the plan lists for it; returns at least its outputs
 * @returns the model's outputs in the plan's order
 * @throws Error when the request or `runSlice` lacks a tensor that the plan lists
 */
export async function runChain(
  plan: Chain,
  request: Tensors,
  runSlice: (slice: number, inputs: Tensors) => Promise<Tensors>,
): Promise<Map<string, RawTensor>> {
  const outputsOf: Tensors[] = [];
  const collect = (sourced: SlicePlan['outputs']): Map<string, RawTensor> =>
    new Map(
      sourced.map(({ name, source }) => {
        const tensor = (source.from === 'request' ? request : outputsOf[source.slice]).get(name);
        if (tensor === undefined) {
          const from = source.from === 'request' ? 'the request' : `the outputs of slice ${source.slice}`;
          throw new Error(`tensor '${name}' is missing from ${from}`);
        }
        return [name, tensor];
      }),
    );
  for (const [slice, { inputs }] of plan.slices.entries()) {
    outputsOf.push(await runSlice(slice, collect(inputs)));
  }
  return collect(plan.outputs);
}
