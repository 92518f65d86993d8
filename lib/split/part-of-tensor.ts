/** A part of a stored tensor, as a range of its bytes or as equal runs of them. */
import { quoted } from '../errors';
import { packedBytes } from '../onnx/data-type';
import type { SourceRange, StridedRange, TensorWithData } from '../onnx/model';
import { type PartRange, CannotSplit } from './split';

const BITS_PER_BYTE = 8;

/** The elements of `range` along `axis`. */
export function partOfTensor(tensor: TensorWithData, axis: number, range: PartRange): TensorWithData {
  const { name, dims, dataType } = tensor;
  const count = range.end - range.start;
  const partDims = dims.map((dim, at) => (at === axis ? count : dim));
  const product = (some: readonly number[]): number => some.reduce((all, dim) => all * dim, 1);
  const inner = product(dims.slice(axis + 1));
  const bits = packedBytes(dataType, BITS_PER_BYTE) ?? 0;
  const bytes = (elements: number): number => (elements * bits) / BITS_PER_BYTE;
  const [start, runBytes, stepBytes] = [range.start * inner, count * inner, dims[axis] * inner].map(bytes);
  if (![start, runBytes, stepBytes].every(Number.isInteger))
    throw new CannotSplit(`has elements of less than a byte in ${quoted(name)}`);
  const runs = product(dims.slice(0, axis));
  const { file, offset, flipsSign } = tensor.data;
  const data = { file, offset: offset + start, length: runs * runBytes, ...(flipsSign && { flipsSign }) };
  return {
    ...{ name: partName(name, axis, range), dataType, dims: partDims, byteLength: data.length },
    // Its field is written anew, with its data in the slice's file of weights.
    external: true,
    data:
      runs === 1 ? (data satisfies SourceRange) : ({ ...data, runBytes, stepBytes } satisfies StridedRange),
  };
}

export function partName(name: string, axis: number, { start, end }: PartRange): string {
  return `${name}[${axis}:${start}:${end}]`;
}
