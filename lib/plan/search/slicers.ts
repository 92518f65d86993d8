/** The slicers: each is one way to choose the cuts of a model. */
export type { Goal, RangedChoice, Slicer } from './slicer';
export { DEFAULT_GOAL } from './slicer';
export { atTensors } from './slicers/at-tensors';
export type { AutomaticOptions } from './slicers/automatic';
export { automatic } from './slicers/automatic';
export { count } from './slicers/count';
export { fromPlan } from './slicers/from-plan';
export { maxSliceSize } from './slicers/max-slice-size';
