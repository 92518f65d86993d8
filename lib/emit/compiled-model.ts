/** A plan with the bytes of its slices, ready to be written. */
import type { SourceFile } from '../onnx/model';
import type { PlanDraft } from '../plan/plan';
import type { SliceChunks } from './slice';

export interface CompiledModel {
  readonly plan: PlanDraft;
  /** The files of the model as it was given: its own first. */
  readonly source: readonly SourceFile[];
  /** What the ranges in `slices` refer to. */
  readonly files: readonly SourceFile[];
  readonly slices: readonly SliceChunks[];
}
