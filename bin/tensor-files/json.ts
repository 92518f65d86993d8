/**
 * Tensors as JSON: nested arrays such as `{"x": [[1, 2, 3]]}` for the inputs of a model, whose types are known, or
 * `{"x": {"dtype": "float32", "shape": [1, 3], "data": [1, 2, 3]}}`, with `base64` instead of `data` if it is shorter.
 */
import { InferenceError } from '../../client/errors';
import { fromNested } from '../../client/tensors/from-nested';
import type { NestedArray } from '../../client/tensors/tensor-forms';
import type { TensorSpec } from '../../contract/tensors';
import { NamedFailure } from '../../lambda/errors';
import { quotedName } from '../../lambda/json-values';
import { decodeInlineTensor, encodeInlineTensor, jsonObject } from '../../lambda/request/inline-tensor';
import { elementCount, isShape, type RawTensor } from '../../lambda/tensors/tensor';
import { JsonError, parseJson, type ExactJson } from './parse-json';
import { BadContent } from './bad-content';

const FORM = 'tensors as JSON, {"name": [[1, 2]]} or {"name": {"dtype", "shape", "data" or "base64"}}';

type Members = Readonly<Record<string, ExactJson>>;

/**
 * @param inputs of the model; nested arrays take their types
 * @throws BadContent
 */
export function decodeJson(file: Uint8Array, inputs: readonly TensorSpec[]): Map<string, RawTensor> {
  const value = parse(file);
  const specs = new Map(inputs.map((spec) => [spec.name, spec]));
  try {
    const named = Object.entries(jsonObject(value, 'it') as Members);
    return new Map(
      named.map(([name, tensor]) => [
        name,
        isObject(tensor) ? decodeDescribed(name, tensor) : decodeNested(name, tensor, specs),
      ]),
    );
  } catch (error) {
    if (!(error instanceof NamedFailure) && !(error instanceof InferenceError)) throw error;
    throw new BadContent(FORM, `invalid content (${error.message})`, 'correct it');
  }
}

export function encodeJson(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  const named = [...tensors].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]);
  return Buffer.from(`${JSON.stringify(Object.fromEntries(named), undefined, 1)}\n`);
}

function parse(file: Uint8Array): ExactJson {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(file));
  } catch (error) {
    const { message, advice } =
      error instanceof JsonError ? error : { message: 'bytes that are not UTF-8', advice: 'correct it' };
    throw new BadContent(FORM, `text that is not JSON (${message})`, advice);
  }
}

function isObject(value: ExactJson): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decodeNested(name: string, value: ExactJson, specs: ReadonlyMap<string, TensorSpec>): RawTensor {
  const spec = specs.get(name);
  if (spec === undefined) {
    const known = [...specs.keys()].map(quotedName).join(', ') || 'none';
    throw new BadContent(
      `nested arrays only for the model's inputs, which are ${known}`,
      quotedName(name),
      'check the name, or add dtype and shape',
    );
  }
  return fromNested(spec, elements(spec.dtype, value) as NestedArray);
}

/** A tensor that says its type and shape. Whole numbers of 64 bits pass as bytes, because `data` takes no larger ones than 2^53. */
function decodeDescribed(name: string, tensor: Members): RawTensor {
  const { dtype, shape, data, ...others } = tensor;
  if (!Array.isArray(data)) return decodeInlineTensor(name, tensor);
  const isWide = dtype === 'int64' || dtype === 'uint64';
  const isExact = isWide && data.some((item) => typeof item === 'bigint');
  if (!isExact || !isShape(shape) || elementCount(shape) !== data.length) {
    return decodeInlineTensor(name, { ...tensor, data: elements('float64', data) });
  }
  const list = fromNested({ name, dtype, shape: null }, data);
  return decodeInlineTensor(name, { ...others, ...encodeInlineTensor({ ...list, shape }) });
}

/** Only 64-bit integers need the exact value of a number above 2^53. */
function elements(dtype: string, value: ExactJson): ExactJson {
  if (dtype === 'int64' || dtype === 'uint64') return value;
  if (Array.isArray(value)) return (value as readonly ExactJson[]).map((item) => elements(dtype, item));
  return typeof value === 'bigint' ? Number(value) : value;
}
