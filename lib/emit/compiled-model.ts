/** A plan with the bytes of its slices, ready to be written. */
import type { SourceFile } from '../onnx/model';
import type { SlicePlan } from '../plan/plan';
import type { SliceChunks } from './slice';

export interface CompiledModel {
  readonly plan: SlicePlan;
  /** What the ranges in `slices` refer to. */
  readonly files: readonly SourceFile[];
  readonly slices: readonly SliceChunks[];
}
