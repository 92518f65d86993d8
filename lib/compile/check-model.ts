/** Checks that a model can be sliced: the requested dimensions, its inputs and its outputs. */
import { SlicedInferenceError, printable, quoted } from '../errors';
import { unusableName } from '../dataflow/crossing';
import { dataTypeName, isBindable } from '../onnx/data-type';
import type { Graph, GraphInput, Model, Value } from '../onnx/model';
import { type DimensionSizes, type ValueTypes, symbolicDimensions } from '../shapes/value-types';

/** Larger than any dimension of a tensor that fits a function: 2^31 - 1. */
const MAX_DIMENSION = 2 ** 31 - 1;

/** 2^43: 800 times what a function can have. Sums of a thousand such sizes are exact. */
const MAX_PLANNED_BYTES = 2 ** 43;

/** Checks what can be checked before ONNX Runtime reads the model. */
export function checkSource(model: Model, dimensions: DimensionSizes): void {
  checkDimensions(model, dimensions);
  for (const { kind, value, type } of signature(model.graph)) {
    if (type.dataType !== undefined)
      checkPassable(kind, model.graph.values[value].name, dataTypeName(type.dataType));
  }
}

export function checkSignature({ graph }: Model, types: ValueTypes): void {
  for (const { kind, value } of signature(graph))
    checkPassable(kind, graph.values[value].name, types[value].dtype);
  // Constants count: without optimization a node or an initializer may hold them, with optimization an initializer does.
  const isComputed = ({ producer, initializer }: Value): boolean =>
    producer !== undefined || initializer !== undefined;
  if (graph.outputs.some(({ value }) => isComputed(graph.values[value]))) return;
  throw new SlicedInferenceError(
    'the model must compute at least one output',
    graph.outputs.length === 0 ? 'a graph without outputs' : 'outputs that are its inputs',
    'export the model again',
  );
}

export function checkPlannedBytes({ graph }: Model, bytes: readonly number[]): void {
  const value = bytes.findIndex((planned) => planned > MAX_PLANNED_BYTES);
  if (value < 0) return;
  throw new SlicedInferenceError(
    `tensor ${quoted(graph.values[value].name)} must have at most ${MAX_PLANNED_BYTES} bytes at the planned sizes`,
    `${bytes[value]} bytes`,
    'plan for smaller dimensions',
  );
}

function checkDimensions(model: Model, dimensions: DimensionSizes): void {
  const known = symbolicDimensions(model.graph);
  for (const [name, size] of Object.entries(dimensions)) {
    if (!known.includes(name)) {
      throw new SlicedInferenceError(
        `a dimension must be a symbolic dimension of the model's inputs (${known.map((own) => printable(own)).join(', ') || 'it has none'})`,
        quoted(name),
        'use one of these names',
      );
    }
    if (!Number.isSafeInteger(size) || size < 1 || size > MAX_DIMENSION) {
      throw new SlicedInferenceError(
        `the size of dimension ${quoted(name)} must be a whole number from 1 to ${MAX_DIMENSION}`,
        String(size),
        'use the size that requests will have',
      );
    }
  }
}

function signature({ inputs, outputs, values }: Graph): (GraphInput & { kind: string })[] {
  return [
    ...inputs
      .filter(({ value }) => values[value].initializer === undefined)
      .map((input) => ({ kind: 'input', ...input })),
    ...outputs.map((output) => ({ kind: 'output', ...output })),
  ];
}

function checkPassable(kind: string, name: string, dtype: string | undefined): void {
  const badName = unusableName(name);
  if (dtype !== undefined && isBindable(dtype) && badName === undefined) return;
  throw new SlicedInferenceError(
    `${kind} ${quoted(name)} must be a tensor that ONNX Runtime's JavaScript API can pass`,
    badName === undefined ? (dtype ?? 'a sequence, map, optional or unknown type') : `one ${badName}`,
    badName === undefined ? 'convert it inside the model' : 'rename it',
  );
}
