/**
 * The header of a safetensors file: 8 bytes of length, then JSON from names to `{dtype, shape, data_offsets}`.
 * Format: https://huggingface.co/docs/safetensors/index#format
 *
 * The format has no string tensors and no checksums. Both are stored as entries of `__metadata__`, a map of strings: see
 * `contract/safetensors-metadata.ts`.
 */
import { PACK } from '../../contract/batch-pack';
import { REQUEST_ETAG, STRING_TENSOR_PREFIX, TENSOR_CRC32_PREFIX } from '../../contract/safetensors-metadata';
import { fieldValue, isRecord, quotedName, type JsonRecord } from '../json-values';
import {
  describeTensor,
  elementBytes,
  elementCount,
  isShape,
  type NumericDataType,
  type StringTensor,
} from './tensor';

export const LENGTH_BYTES = 8;

/** The reference implementation's limit: https://github.com/huggingface/safetensors (MAX_HEADER_SIZE). */
export const MAX_HEADER_BYTES = 100_000_000;

export const METADATA_KEY = '__metadata__';

export const DTYPE_CODES: Readonly<Record<NumericDataType, string>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  int8: 'I8',
  int16: 'I16',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
};

const DTYPES_BY_CODE = new Map(
  Object.entries(DTYPE_CODES).map(([dtype, code]) => [code, dtype as NumericDataType]),
);

/**
 * The bytes are not a safetensors file, or the file uses a feature that this library does not support.
 *
 * @hideconstructor
 */
export class SafetensorsError extends Error {
  /** Always `SafetensorsError`. */
  override readonly name = 'SafetensorsError';
}

/** Position of a numeric tensor's bytes, counted from the start of the file. */
export interface StoredTensor {
  readonly dtype: NumericDataType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
  readonly crc32?: number;
}

export type HeaderEntry = StoredTensor | StringTensor;

export function readHeaderLength(
  start: Uint8Array,
  fileBytes: number,
  limit: number = MAX_HEADER_BYTES,
): number {
  if (start.byteLength < LENGTH_BYTES) {
    throw new SafetensorsError(`a safetensors file has at least ${LENGTH_BYTES} bytes, got ${fileBytes}`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(limit)) {
    throw new SafetensorsError(`the header claims ${length.toString()} bytes, the limit is ${limit}`);
  }
  if (length > BigInt(fileBytes - LENGTH_BYTES)) {
    throw new SafetensorsError(
      `the header claims ${length.toString()} bytes of a file of ${fileBytes}: the file is truncated or not safetensors`,
    );
  }
  return Number(length);
}

/** Parses and checks a header. The numeric tensors must cover the rest of the file without holes or overlaps. */
export function parseHeader(json: Uint8Array, fileBytes: number) {
  const dataStart = LENGTH_BYTES + json.byteLength;
  const fields = parseJson(decodeText(json), 'the header is not JSON');
  if (!isRecord(fields)) throw new SafetensorsError('the header is not a JSON object');
  const { [METADATA_KEY]: metadata = {} } = fields;
  if (!isRecord(metadata)) throw new SafetensorsError(`${METADATA_KEY} is not a JSON object`);
  const entries = new Map<string, HeaderEntry>();
  for (const [name, field] of Object.entries(fields)) {
    if (name === METADATA_KEY) continue;
    entries.set(name, { ...parseStored(name, field, dataStart), ...parseCrc32(name, metadata) });
  }
  checkLayout(entries as ReadonlyMap<string, StoredTensor>, dataStart, fileBytes);
  for (const [key, value] of Object.entries(metadata)) {
    if (!key.startsWith(STRING_TENSOR_PREFIX)) continue;
    const name = key.slice(STRING_TENSOR_PREFIX.length);
    if (entries.has(name)) throw badTensor(name, 'is listed twice, once as a string tensor');
    entries.set(name, parseStringTensor(name, value));
  }
  const { [REQUEST_ETAG]: requestEtag, [PACK]: pack } = metadata;
  return {
    entries,
    ...(typeof requestEtag === 'string' && { requestEtag }),
    ...(typeof pack === 'string' && { pack }),
  };
}

/** Bytes that are not UTF-8 would become U+FFFD, which could make one name of two. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SafetensorsError('the header is not UTF-8');
  }
}

/** @param problem what the tensor must have, or is */
export function badTensor(name: string, problem: string): SafetensorsError {
  return new SafetensorsError(`tensor ${quotedName(name)} ${problem}`);
}

function parseStored(name: string, field: unknown, dataStart: number): StoredTensor {
  if (!isRecord(field)) throw badTensor(name, 'is not described by a JSON object');
  const { dtype: code, shape, data_offsets: offsets } = field;
  const dtype = typeof code === 'string' ? DTYPES_BY_CODE.get(code) : undefined;
  if (dtype === undefined) {
    const known = [...DTYPES_BY_CODE.keys()].join(', ');
    throw badTensor(name, `must have one of the dtypes ${known}, got ${fieldValue(code)}`);
  }
  if (!isShape(shape)) throw badTensor(name, `must have a shape of whole numbers, got ${fieldValue(shape)}`);
  if (!isShape(offsets) || offsets.length !== 2)
    throw badTensor(name, `must have two data_offsets, got ${fieldValue(offsets)}`);
  const [begin = 0, end = 0] = offsets;
  const expected = elementCount(shape) * elementBytes(dtype);
  if (end - begin === expected) return { dtype, shape, start: dataStart + begin, end: dataStart + end };
  const tensor = describeTensor({ dtype, shape });
  throw badTensor(name, `${tensor} must have ${expected} bytes, got ${end - begin}`);
}

function checkLayout(entries: ReadonlyMap<string, StoredTensor>, dataStart: number, fileBytes: number): void {
  const inOrder = [...entries].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let position = dataStart;
  for (const [name, { start, end }] of inOrder) {
    if (start !== position) {
      const problem = start < position ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw badTensor(name, `${problem}: expected offset ${position}, got ${start}`);
    }
    position = end;
  }
  if (position !== fileBytes) {
    throw new SafetensorsError(`the tensors end at byte ${position}, but the file has ${fileBytes} bytes`);
  }
}

function parseCrc32(name: string, metadata: JsonRecord): { crc32?: number } {
  const digits = metadata[`${TENSOR_CRC32_PREFIX}${name}`];
  if (digits === undefined) return {};
  if (typeof digits !== 'string' || !/^[0-9a-f]{8}$/.test(digits)) {
    throw badTensor(name, `must have a CRC32 of eight hexadecimal digits, got ${fieldValue(digits)}`);
  }
  return { crc32: parseInt(digits, 16) };
}

function parseStringTensor(name: string, text: unknown): StringTensor {
  const subject = `string tensor ${quotedName(name)}`;
  const value = parseJson(typeof text === 'string' ? text : '', `${subject} is not JSON`);
  const { shape, data } = isRecord(value) ? value : {};
  if (!isShape(shape))
    throw new SafetensorsError(`${subject} must have a shape of whole numbers, got ${fieldValue(shape)}`);
  if (isStrings(data) && data.length === elementCount(shape))
    return { dtype: 'string', shape, strings: data };
  throw new SafetensorsError(`${subject} needs ${elementCount(shape)} strings in its data`);
}

function parseJson(text: string, problem: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not the parser's message: it quotes the text, which can be anything.
    throw new SafetensorsError(problem);
  }
}

export function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
