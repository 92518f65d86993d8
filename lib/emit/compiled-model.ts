/** A plan and the contents of its slices, ready to be written. */
import type { SourceFile } from '../onnx/model';
import type { PlanDraft } from '../plan/file/plan';
import type { SliceChunks } from './slice';

export interface CompiledModel {
  readonly plan: PlanDraft;
  /** The files of the original model, its `.onnx` file first. */
  readonly source: readonly SourceFile[];
  /** The files that the ranges in `slices` refer to: those of the graph that was cut. */
  readonly files: readonly SourceFile[];
  readonly slices: readonly SliceChunks[];
}
