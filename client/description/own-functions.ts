/** Which functions of the user stand before and after the slices. */
import type { PipelineSignature } from '../../contract/signature';

/** In words, such as `a preprocess function`; `undefined` for a pipeline that takes and returns tensors. */
export function ownFunctions({
  preprocess,
  postprocess,
}: Pick<PipelineSignature, 'preprocess' | 'postprocess'>): string | undefined {
  const names = [preprocess && 'preprocess', postprocess && 'postprocess'].filter(Boolean);
  return names.length === 0 ? undefined : `a ${names.join(' and a ')} function`;
}
