/** The tensors of one node with their sizes, as far as they are known. */
import { isBindable, onnxDataType, packedBytes } from '../onnx/data-type';
import { type Graph, type Node, type ValueIndex, OMITTED } from '../onnx/model';
import type { BodyNode } from '../shapes/data-sizes';
import { type ValueType, type ValueTypes, product } from '../shapes/value-types';

export interface WorkTensor {
  readonly dtype: string | undefined;
  /** Empty for a scalar, and if the rank is unknown. */
  readonly shape: readonly number[];
  readonly elements: number;
  readonly bytes: number;
  /** Whether it is a weight: kernels read it from memory, not from a cache. */
  readonly isWeight: boolean;
}

export interface WorkNode {
  readonly node: Pick<Node, 'opType' | 'domain' | 'sizeAttributes'>;
  /** By input; `undefined` for an omitted one. */
  readonly inputs: readonly (WorkTensor | undefined)[];
  readonly outputs: readonly (WorkTensor | undefined)[];
  readonly captures: readonly WorkTensor[];
}

/** Bytes of an element whose type has no fixed width or is unknown. */
const ELEMENT_BYTES = 8;

/** Reads the sizes of a graph's nodes. A size that is unknown counts as 1, and an unknown rank as one element. */
export function workOf(graph: Graph, types: ValueTypes): readonly WorkNode[] {
  const tensors = graph.values.map(({ initializer, producer }, index): WorkTensor => {
    const constant = producer === undefined ? undefined : graph.nodes[producer].constant;
    const { dtype, shape: declared } = types[index];
    const isWeight = initializer !== undefined || constant !== undefined;
    return workTensor({ dtype, shape: constant?.dims ?? declared }, isWeight);
  });
  const at = (value: ValueIndex): WorkTensor | undefined => (value === OMITTED ? undefined : tensors[value]);
  return graph.nodes.map((node) => ({
    node,
    inputs: node.inputs.map(at),
    outputs: node.outputs.map(at),
    captures: node.captures.map((value) => tensors[value]),
  }));
}

/** A node of a body, as a run had it. */
export function workOfBody({ opType, inputs, outputs, hasWeights }: BodyNode): WorkNode {
  const tensors = (all: BodyNode['inputs'], hasWeight: boolean) =>
    all.map((type, place) => (type === null ? undefined : workTensor(type, hasWeight && place > 0)));
  return {
    node: { opType, domain: '' },
    ...{ inputs: tensors(inputs, hasWeights), outputs: tensors(outputs, false), captures: [] },
  };
}

function workTensor({ dtype, shape: declared }: ValueType, isWeight: boolean): WorkTensor {
  const shape = (declared ?? []).map((size) => (typeof size === 'number' ? size : 1));
  const elements = product(shape);
  return { dtype, shape, elements, bytes: bytesOf(dtype, elements), isWeight };
}

function bytesOf(dtype: string | undefined, elements: number): number {
  const packed =
    dtype !== undefined && isBindable(dtype) ? packedBytes(onnxDataType(dtype), elements) : undefined;
  return packed ?? elements * ELEMENT_BYTES;
}

export function totalBytes(tensors: readonly (WorkTensor | undefined)[]): number {
  return tensors.reduce((sum, tensor) => sum + (tensor?.bytes ?? 0), 0);
}

export function totalElements(tensors: readonly (WorkTensor | undefined)[]): number {
  return tensors.reduce((sum, tensor) => sum + (tensor?.elements ?? 0), 0);
}

export function movedBytes({ inputs, outputs }: WorkNode): number {
  return totalBytes(inputs) + totalBytes(outputs);
}
