/** The slicers: each is one way to choose the cuts of a model. */
export type { NamedSlicer, SearchedSlicer, Slicer } from './slicer';
export { type AutomaticOptions, automatic } from './automatic';
export { count } from './count';
export { atTensors, fromPlan, maxSliceSize } from './named';
