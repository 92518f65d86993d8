/** The data flow of a model in code, and bytes for its values, without ONNX Runtime. */
import { type Dataflow, analyzeDataflow } from '../../lib/dataflow/dataflow';
import type { ValueIndex } from '../../lib/onnx/model';
import { parseModel } from '../../lib/onnx/parse';
import type { SizeClasses } from '../../lib/shapes/size-classes';
import { type ModelInit, saveModel } from './model-builder';

export interface SizedModel {
  readonly dataflow: Dataflow;
  /** By value. */
  readonly bytes: readonly number[];
  /** By node. */
  readonly scratch: readonly number[];
  readonly classes: SizeClasses;
  valueOf(name: string): ValueIndex;
}

/**
 * @param bytesOf by name of a value: its bytes; 0 for others
 * @param scratchOf by operator: bytes of temporary buffers; 0 for others
 */
export function sizedModel(
  init: ModelInit,
  bytesOf: Readonly<Record<string, number>>,
  scratchOf: Readonly<Record<string, number>> = {},
): SizedModel {
  const dataflow = analyzeDataflow(parseModel(saveModel(init)));
  const { values, nodes } = dataflow.model.graph;
  const bytes = values.map(({ name }) => bytesOf[name] ?? 0);
  return {
    dataflow,
    bytes,
    classes: classesOf(bytes),
    scratch: nodes.map(({ opType }) => scratchOf[opType] ?? 0),
    valueOf: (name) => values.findIndex((value) => value.name === name),
  };
}

/** Values of as many bytes have the same size. */
export function classesOf(bytes: readonly number[]): SizeClasses {
  const sizes = [...new Set(bytes)];
  return Int32Array.from(bytes, (size) => sizes.indexOf(size));
}
