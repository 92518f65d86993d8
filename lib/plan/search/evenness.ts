/** Measures how even slices are by nodes and weights, which do not depend on the planned sizes. */

/** What one slice has of the nodes and of the weights. */
export interface SliceShare {
  readonly nodes: number;
  readonly weightBytes: number;
}

/**
 * The part of a slice in the unevenness of a cut. The parts add up to 1 for equal slices, and to the number of slices if one slice
 * has nearly all nodes and weights.
 */
export function unevenness(slice: SliceShare, whole: SliceShare, slices: number): number {
  const ofNodes = slice.nodes / whole.nodes;
  const ofWeights = whole.weightBytes > 0 ? slice.weightBytes / whole.weightBytes : 0;
  return slices * ((ofNodes + ofWeights) / 2) ** 2;
}
