/** The whole model with which slices are compared: the model as given, or with the 8-bit weights that every processor multiplies exactly. */
import * as path from 'node:path';
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { emitWhole } from '../../lib/emit/slice';
import { writeChunks } from '../../lib/onnx/write-chunks';
import type { WholeJob } from './run-job';

export interface WholeModels {
  /** Has the bits that the slices must have. */
  readonly reference: RunnableModel;
  /** The same model with 8-bit weights of the other type, if it has some that not every processor multiplies exactly. */
  readonly other?: RunnableModel;
}

export type RunnableModel = Pick<WholeJob, 'modelPath' | 'optimization'>;

/** Whether ONNX Runtime multiplies 8-bit integers exactly on a class of processors, whatever their types. See `lib/saturation/operators.ts`. */
export function multipliesExactly(processor: string): boolean {
  return processor.startsWith('arm64') || /VNNI|AMX/.test(processor);
}

/** @param folder for the files of the model that is rewritten */
export function wholeModels(
  modelPath: string,
  { int8Weights, optimization }: AnalyzedModel,
  folder: string,
): WholeModels {
  const given = { modelPath, optimization };
  const { exact, isRewritten, weights } = int8Weights;
  if (weights === 0) return { reference: given };
  const [file, weightsFile] = ['whole.onnx', 'whole.weights'];
  const chunks = emitWhole(exact, weightsFile);
  writeChunks(exact.files, chunks.model, path.join(folder, file));
  if (chunks.weights.length > 0) writeChunks(exact.files, chunks.weights, path.join(folder, weightsFile));
  // The graph was optimized before it was rewritten.
  const rewritten = { modelPath: path.join(folder, file), optimization: 'none' } as const;
  return isRewritten ? { reference: rewritten, other: given } : { reference: given, other: rewritten };
}
