/** Names of slices and keys of the objects in the pipeline's bucket. */

/** Requests are below this prefix of the pipeline's bucket. */
export const INPUTS_PREFIX = 'inputs/';
export const RUNS_PREFIX = 'runs/';
/** Results are below this prefix of the pipeline's bucket. */
export const OUTPUTS_PREFIX = 'outputs/';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const MAX_KEY_BYTES = 1024;

/** Name of a slice: its index with at least two digits, such as `slice-07`. */
export function sliceName(slice: number): string {
  return `slice-${String(slice).padStart(2, '0')}`;
}

/** Matches file names of slices, also those by digest. They contain no separators, so a path to them cannot leave the folder. */
export const SLICE_FILE = /^(slice-\d+|[0-9a-f]{64})\.(onnx|weights)$/;

/** Key of the object with the tensors that a slice computed in a run. */
export function sliceObjectKey(run: string, slice: number): string {
  return `${RUNS_PREFIX}${run}/${sliceName(slice)}.safetensors`;
}

/** Key of the object with the results of a run. */
export function outputObjectKey(run: string): string {
  return `${OUTPUTS_PREFIX}${run}.safetensors`;
}

/** Name of the function of the whole model, beside those of the slices. */
export const WHOLE = 'whole';

/**
 * Key of the object by which loaders of the whole model claim the load. It is not below the key of any run, which has two
 * segments after the prefix.
 *
 * @param pipeline identifies the pipeline among those that share a bucket
 */
export function loaderClaimKey(pipeline: string, deploymentDigest: string): string {
  return `${RUNS_PREFIX}loader-${pipeline}-${deploymentDigest}.json`;
}
