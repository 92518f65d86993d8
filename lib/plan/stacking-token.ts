/**
 * The token that names a model and the number of its items whose bits `verify --batch` has compared, stacked and alone. It does not name the
 * sizes of these items, so it says nothing about items of other sizes.
 */
import { createHash } from 'node:crypto';
import { SlicedInferenceError, quoted } from '../errors';
import type { SlicePlan } from './file/plan';

/** What the bits of stacked items depend on, besides the processor and the sizes. `threads` is that of the deployed functions. */
export type StackedModel = Pick<SlicePlan, 'planDigest' | 'onnxRuntime' | 'threads'>;

/** The most items of a stack. Larger ones gain nothing: the kernels are busy long before. */
export const MOST_STACKED_ITEMS = 64;

const TOKEN = /^[0-9a-f]{12}-(\d{1,2})$/;

/** @param items the most items of a stack: smaller stacks are verified too */
export function stackingToken({ planDigest, onnxRuntime, threads }: StackedModel, items: number): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([planDigest, onnxRuntime, threads]))
    .digest('hex');
  return `${digest.slice(0, 12)}-${items}`;
}

/**
 * The most items that may be stacked.
 *
 * @throws SlicedInferenceError if the token is none, or is that of another model, ONNX Runtime or number of threads
 */
export function verifiedItems(token: string, model: StackedModel): number {
  const items = Number(TOKEN.exec(token)?.[1]);
  if (items >= 2 && items <= MOST_STACKED_ITEMS && token === stackingToken(model, items)) return items;
  const { onnxRuntime, threads } = model;
  throw new SlicedInferenceError(
    `stacking must be the token of these slices, ONNX Runtime ${onnxRuntime} and ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    quoted(token),
    `copy what \`sliced-inference verify MODEL --batch 8 --threads ${threads}\` prints after 'stacking: ' with the flags of this pipeline`,
  );
}
