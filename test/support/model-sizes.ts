/** The data flow of a model in code, and bytes for its values, without ONNX Runtime. */
import type { Dataflow } from '../../lib/dataflow/dataflow';
import { analyzeDataflow } from '../../lib/dataflow/dataflow';
import type { ValueIndex } from '../../lib/onnx/model';
import { parseModel } from '../../lib/onnx/parse';
import type { ModelInit } from './model-builder';
import { saveModel } from './model-builder';

export interface SizedModel {
  readonly dataflow: Dataflow;
  /** By value. */
  readonly bytes: readonly number[];
  /** By node. */
  readonly scratch: readonly number[];
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
  return {
    dataflow,
    bytes: values.map(({ name }) => bytesOf[name] ?? 0),
    scratch: nodes.map(({ opType }) => scratchOf[opType] ?? 0),
    valueOf: (name) => values.findIndex((value) => value.name === name),
  };
}
