/** What users should know of slices that nothing is gained by. */
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
  const which = named.length === 1 ? `slice ${named[0]} has` : `slices ${named.join(', ')} have`;
  const megabytes = (
    sumOf(named.map((slice) => sizes[slice].readBytes + sizes[slice].writeBytes)) / 1e6
  ).toFixed(1);
  const left = sizes.length - named.length;
  return `${which} almost none of the weights and of the work, but each run pays for calls and for ${megabytes} MB of tensors that are read and written there: use ${left} ${left === 1 ? 'slice' : 'slices'}`;
}
