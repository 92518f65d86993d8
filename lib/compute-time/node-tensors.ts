/** The tensors of one node with their sizes, as far as they are known. */
import { isBindable, onnxDataType, packedBytes } from '../onnx/data-type';
import { type Graph, type Node, type ValueIndex, OMITTED } from '../onnx/model';
import type { ValueTypes } from '../shapes/value-types';

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
  readonly node: Node;
  /** By input; `undefined` for an omitted one. */
  readonly inputs: readonly (WorkTensor | undefined)[];
  readonly outputs: readonly (WorkTensor | undefined)[];
  /** The values of the graph that its bodies use. */
  readonly captures: readonly WorkTensor[];
}

/** Bytes of an element whose type has no fixed width or is unknown. */
const ELEMENT_BYTES = 8;

/** Reads the sizes of a graph's values. A size that is unknown counts as 1, and an unknown rank as one element. */
export class TensorTable {
  private readonly tensors: readonly WorkTensor[];

  constructor(
    private readonly graph: Graph,
    types: ValueTypes,
  ) {
    this.tensors = graph.values.map(({ initializer, producer }, index) => {
      const constant = producer === undefined ? undefined : graph.nodes[producer].constant;
      const { dtype, shape } = types[index];
      const sizes = (constant?.dims ?? shape ?? []).map((size) => (typeof size === 'number' ? size : 1));
      const elements = sizes.reduce((product, size) => product * size, 1);
      return {
        dtype,
        shape: sizes,
        elements,
        bytes: bytesOf(dtype, elements),
        isWeight: initializer !== undefined || constant !== undefined,
      };
    });
  }

  of(node: Node): WorkNode {
    const at = (value: ValueIndex): WorkTensor | undefined =>
      value === OMITTED ? undefined : this.tensors[value];
    return {
      node: this.graph.nodes[node.index],
      inputs: node.inputs.map(at),
      outputs: node.outputs.map(at),
      captures: node.captures.map((value) => this.tensors[value]),
    };
  }
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

/** Bytes that the node reads and writes. */
export function movedBytes({ inputs, outputs }: WorkNode): number {
  return totalBytes(inputs) + totalBytes(outputs);
}
