/** What users should know of slices that nothing is gained by. */
import { sumOf } from '../extremes';
import { type SliceSize, isNearEmpty } from './sizes/estimate';

/** In a sentence without a full stop, if slices have hardly any weights and hardly any work. */
export function uselessSlicesNote(sizes: readonly SliceSize[]): string | undefined {
  const ofAll = {
    seconds: sumOf(sizes.map(({ coreSeconds }) => coreSeconds)),
    weights: sumOf(sizes.map(({ weightBytes }) => weightBytes)),
  };
  const useless = sizes.flatMap(({ coreSeconds, weightBytes, readBytes, writeBytes }, slice) =>
    isNearEmpty(coreSeconds, ofAll.seconds, sizes.length) &&
    (weightBytes === 0 || isNearEmpty(weightBytes, ofAll.weights, sizes.length))
      ? [{ slice, bytes: readBytes + writeBytes }]
      : [],
  );
  if (useless.length === 0 || sizes.length === 1) return undefined;
  const named = useless.map(({ slice }) => slice);
  const which = named.length === 1 ? `slice ${named[0]} has` : `slices ${named.join(', ')} have`;
  const megabytes = (sumOf(useless.map(({ bytes }) => bytes)) / 1e6).toFixed(1);
  const left = sizes.length - named.length;
  return `${which} almost none of the weights and of the work, but each run pays for calls and for ${megabytes} MB of tensors that are read and written there: use ${left} ${left === 1 ? 'slice' : 'slices'}`;
}
