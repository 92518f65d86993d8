/** The token that names a model and the number of its items whose bits `verify --batch` has compared, stacked and alone. */
import { createHash } from 'node:crypto';
import { SlicedInferenceError, quoted } from '../errors';
import type { SlicePlan } from './file/plan';

/** What the bits of stacked items depend on, besides the processor. `threads` is that of the deployed functions. */
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
  if (!(items >= 2 && items <= MOST_STACKED_ITEMS)) {
    throw new SlicedInferenceError(
      'stacking must be a token that `sliced-inference verify --batch` has printed',
      quoted(token),
      'copy the token without the word before it, such as 0123456789ab-8',
    );
  }
  const expected = stackingToken(model, items);
  if (token === expected) return items;
  throw new SlicedInferenceError(
    `stacking must be verified for these slices, ONNX Runtime ${model.onnxRuntime} and ${model.threads} ${model.threads === 1 ? 'thread' : 'threads'}`,
    `the token ${quoted(token)} of another model or setting`,
    `run \`sliced-inference verify MODEL --batch ${items} --threads ${model.threads}\` with the model, slicing and optimization of this pipeline`,
  );
}
