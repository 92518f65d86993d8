/** The slicers: each is one way to choose the cuts of a model. */
export type { NamedSlicer, SearchedSlicer, Slicer } from './slicer';
export { atTensors } from './named';
export type { AutomaticOptions } from './automatic';
export { automatic } from './automatic';
export { count } from './count';
export { fromPlan } from './named';
export { maxSliceSize } from './named';
