/** Names of slices and keys of the objects in the pipeline's bucket. */

export const INPUTS_PREFIX = 'inputs/';
export const RUNS_PREFIX = 'runs/';
export const OUTPUTS_PREFIX = 'outputs/';

/** Name of a slice with two digits, or more when there are over 100 slices: `slice-07`. */
export function sliceName(slice: number): string {
  return `slice-${String(slice).padStart(2, '0')}`;
}

/** File names of a slice: plain names, which cannot lead out of the slice's folder. */
export const SLICE_FILE = /^slice-\d+\.(onnx|weights)$/;

/** Key of the object that holds a slice's tensors of one run. */
export function sliceObjectKey(run: string, slice: number): string {
  return `${RUNS_PREFIX}${run}/${sliceName(slice)}.safetensors`;
}

/** Key of the object that holds a run's results. */
export function outputObjectKey(run: string): string {
  return `${OUTPUTS_PREFIX}${run}.safetensors`;
}
