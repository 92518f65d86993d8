/** The stored weights and zero points of operators: whether their bytes can saturate, and the same numbers in the other type. */
import { ONNX_INT8, ONNX_UINT8 } from '../onnx/data-type';
import { encodeTensor } from '../onnx/encode';
import { TENSOR } from '../onnx/fields';
import { WINDOW_BYTES } from '../onnx/limits';
import type { UnlinkedInitializer } from '../onnx/link-graph';
import type { Model, SourceRange, Tensor } from '../onnx/model';
import { flipSigns } from '../onnx/write-chunks';
import { ByteSource, type Span, fields, integers } from '../onnx/wire';
import { type ByteType, canSaturate } from './operators';

/** Largest tensor that is read from typed fields, in which each element is a varint. Exporters write zero points so, and hardly a weight. */
const MAX_TYPED_BYTES = 2 ** 26;

const NO_FIELD = new Uint8Array();

/** Bytes that are stored in the model. */
export interface StoredTensor {
  /** Tells it from all other constants of the model. */
  readonly key: string;
  readonly tensor: Tensor;
  /** The elements of a tensor that is stored as typed integers. */
  readonly typed?: Uint8Array;
}

/** @param message of the tensor, in the model's file @returns the tensor, or why its elements cannot be read: the end of a sentence */
export function storedTensor(
  source: ByteSource,
  key: string,
  tensor: Tensor,
  message: Span,
): StoredTensor | string {
  if (tensor.data !== undefined) return { key, tensor };
  if (tensor.byteLength > MAX_TYPED_BYTES) return 'is stored as numbers of variable length';
  const typed = new Uint8Array(tensor.byteLength);
  let count = 0;
  for (const field of fields(source, message))
    if (field.number === TENSOR.int32Data)
      for (const element of integers(source, field)) typed[count++] = element;
  return count === typed.length ? { key, tensor, typed } : 'does not have the elements of its dims';
}

export function byteType({ dataType }: Tensor): ByteType | undefined {
  if (dataType === ONNX_INT8) return 'int8';
  return dataType === ONNX_UINT8 ? 'uint8' : undefined;
}

/** Reads until it finds a byte that can saturate. Most weights have one among their first bytes. */
export function weightCanSaturate({ files }: Model, { tensor, typed }: StoredTensor): boolean {
  const type = byteType(tensor);
  const isLarge = (bytes: Uint8Array): boolean => {
    // Not `some`: a weight of which no byte can saturate is read whole.
    for (const byte of bytes) if (type !== undefined && canSaturate(byte, type)) return true;
    return false;
  };
  if (typed !== undefined) return isLarge(typed);
  const { file, offset, length } = tensor.data ?? NOTHING;
  const source = new ByteSource(files[file].path);
  try {
    for (let done = 0; done < length; done += WINDOW_BYTES) {
      const window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, length - done));
      source.read(offset + done, window);
      if (isLarge(window)) return true;
    }
    return false;
  } finally {
    source.close();
  }
}

const NOTHING: SourceRange = { file: 0, offset: 0, length: 0 };

/** The same numbers as an initializer of the other type: int8 with 128 added, or uint8 with 128 subtracted. */
export function flipped({ tensor, typed }: Omit<StoredTensor, 'key'>, name: string): UnlinkedInitializer {
  const { dims, byteLength, data } = tensor;
  const dataType = tensor.dataType === ONNX_INT8 ? ONNX_UINT8 : ONNX_INT8;
  if (data !== undefined && typed === undefined) {
    // Its field is written anew.
    const flippedData = { ...data, flipsSign: true };
    return {
      tensor: { name, dataType, dims, byteLength, external: true, data: flippedData },
      field: NO_FIELD,
    };
  }
  const bytes = flipSigns(Uint8Array.from(typed ?? []));
  return {
    tensor: { name, dataType, dims, byteLength, external: false },
    field: encodeTensor(name, { dataType, dims }, bytes),
  };
}

/** The zero point of an operator that has none, whose weights were flipped. */
export function flippedZero(name: string, type: ByteType): UnlinkedInitializer {
  const zero = {
    name,
    dataType: type === 'int8' ? ONNX_INT8 : ONNX_UINT8,
    dims: [],
    byteLength: 1,
    external: false,
  };
  return flipped({ tensor: zero, typed: Uint8Array.of(0) }, name);
}
