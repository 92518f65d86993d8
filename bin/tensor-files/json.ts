/**
 * Tensors as JSON: nested arrays such as `{"x": [[1, 2, 3]]}` for the inputs of a model, whose types are known, or
 * `{"x": {"dtype": "float32", "shape": [1, 3], "data": [1, 2, 3]}}`, with `base64` instead of `data` if it is shorter.
 */
import { InferenceError } from '../../client/errors';
import { fromNested } from '../../client/tensors/from-nested';
import type { NestedArray } from '../../client/tensors/tensor-forms';
import type { TensorSpec } from '../../contract/tensors';
import { NamedFailure } from '../../lambda/errors';
import { isRecord, quotedName } from '../../lambda/json-values';
import { decodeInlineTensor, encodeInlineTensor, jsonObject } from '../../lambda/request/inline-tensor';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { BadContent } from './bad-content';

const FORM = 'tensors as JSON, {"name": [[1, 2]]} or {"name": {"dtype", "shape", "data" or "base64"}}';

/**
 * @param inputs of the model; nested arrays take their types
 * @throws BadContent
 */
export function decodeJson(file: Uint8Array, inputs: readonly TensorSpec[]): Map<string, RawTensor> {
  const value = parse(file);
  const specs = new Map(inputs.map((spec) => [spec.name, spec]));
  try {
    return new Map(
      Object.entries(jsonObject(value, 'it')).map(([name, tensor]) => [
        name,
        isRecord(tensor) ? decodeInlineTensor(name, tensor) : decodeNested(name, tensor, specs),
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

function parse(file: Uint8Array): unknown {
  const text = Buffer.from(file).toString('utf8');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file));
  } catch {
    // The parser's message quotes the text. Python's `json.dump` writes these words.
    const hasWords = /[[,:\s]-?(NaN|Infinity)\b/.test(text);
    throw hasWords
      ? new BadContent(
          FORM,
          'NaN or Infinity, which JSON does not have',
          'write base64 instead of data, or an .npz file',
        )
      : new BadContent(FORM, 'text that is not JSON', 'correct it');
  }
}

function decodeNested(name: string, value: unknown, specs: ReadonlyMap<string, TensorSpec>): RawTensor {
  const spec = specs.get(name);
  if (spec !== undefined) return fromNested(spec, value as NestedArray);
  const known = [...specs.keys()].map(quotedName).join(', ') || 'none';
  throw new BadContent(
    `nested arrays only for the model's inputs, which are ${known}`,
    quotedName(name),
    'check the name, or add dtype and shape',
  );
}
