/** Tensors that are stacked along their first dimension, and the parts of such a tensor. */
import type { NumericTensor, RawTensor, StringTensor } from './tensor';

/** @param parts of one type, and of one shape but for the first dimension; one or more */
export function joined(parts: readonly RawTensor[]): RawTensor {
  const [{ dtype, shape }] = parts;
  const all = [parts.reduce((sum, part) => sum + part.shape[0], 0), ...shape.slice(1)];
  // All have the type of the first one.
  if (dtype === 'string')
    return { dtype, shape: all, strings: parts.flatMap((part) => (part as StringTensor).strings) };
  const bytes = Buffer.concat(parts.map((part) => (part as NumericTensor).bytes));
  return { dtype, shape: all, bytes };
}

/** The rows from `first` to below `end`. */
export function rowsOf(tensor: RawTensor, first: number, end: number): RawTensor {
  const [total, ...rest] = tensor.shape;
  const shape = [end - first, ...rest];
  if (tensor.dtype === 'string') {
    const each = tensor.strings.length / total;
    return { dtype: tensor.dtype, shape, strings: tensor.strings.slice(first * each, end * each) };
  }
  const each = tensor.bytes.byteLength / total;
  return { dtype: tensor.dtype, shape, bytes: tensor.bytes.subarray(first * each, end * each) };
}
