/** Tensors as JSON: `{"x": {"dtype": "float32", "shape": [1, 3], "data": [1, 2, 3]}}`, or `base64` instead of `data`. */
import { NamedFailure } from '../../lambda/errors';
import { decodeInlineTensor, encodeInlineTensor } from '../../lambda/request/inline-tensor';
import { jsonObject } from '../../lambda/request/json-fields';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { BadContent } from './tensor-file-error';

const FORM = 'tensors as JSON, {"name": {"dtype", "shape", "data" or "base64"}}';

/** @throws BadContent */
export function decodeJson(file: Uint8Array): Map<string, RawTensor> {
  const value = parse(Buffer.from(file).toString('utf8'));
  try {
    const named = Object.entries(jsonObject(value, 'it'));
    return new Map(named.map(([name, tensor]) => [name, decodeInlineTensor(name, tensor)]));
  } catch (error) {
    if (!(error instanceof NamedFailure)) throw error;
    throw new BadContent(FORM, `invalid content (${error.message})`, 'correct it');
  }
}

export function encodeJson(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  const named = [...tensors].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]);
  return Buffer.from(`${JSON.stringify(Object.fromEntries(named), undefined, 1)}\n`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadContent(FORM, `text that is not JSON (${reason})`, 'correct it');
  }
}
