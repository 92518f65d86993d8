/** Warns of slices that cost calls and transfers and take hardly any work from the others. */
import { inBytes } from '../cost/alternatives/wording';
import { sumOf } from '../extremes';
import { type SliceSize, isNearEmpty } from './sizes/estimate';

/** In a sentence without a full stop, if slices have hardly any weights and hardly any work. */
export function uselessSlicesNote(sizes: readonly SliceSize[]): string | undefined {
  const seconds = sumOf(sizes.map(({ coreSeconds }) => coreSeconds));
  const weights = sumOf(sizes.map(({ weightBytes }) => weightBytes));
  const isUseless = ({ coreSeconds, weightBytes }: SliceSize): boolean =>
    isNearEmpty(coreSeconds, seconds, sizes.length) &&
    (weightBytes === 0 || isNearEmpty(weightBytes, weights, sizes.length));
  const named = sizes.flatMap((size, slice) => (isUseless(size) ? [slice] : []));
  if (named.length === 0) return undefined;
  const which = named.length === 1 ? `slice ${named[0]} has` : `slices ${named.join(', ')} each have`;
  const moved = inBytes(sumOf(named.map((slice) => sizes[slice].readBytes + sizes[slice].writeBytes)));
  const left = sizes.length - named.length;
  return `${which} at most 1 % of the weights and of the work, and each run still pays for the call and for ${moved} of tensors: use ${left} ${left === 1 ? 'slice' : 'slices'}`;
}
