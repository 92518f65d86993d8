/** Creates valid requests for the echo model. */
import type { InlineTensor } from '../../../contract/execution';
import type { TensorDataType } from '../../../contract/tensors';
import { elementBytes } from '../../../lambda/tensors/tensor';
import type { Json } from '../json/odd-values';
import { Random } from '../random';
import { ECHOED } from './echo-model';

/** Occur in no message of the library, so they show if contents of a request get into one. */
const NUMBER = 4711.4711;
const TEXTS = ['the patient is ill', 'their account is empty \u{1f600}', ''];

/** A valid request in S3. */
export const STORED_KEY = 'inputs/valid';
export const STORED_TENSORS = validTensors(new Random('stored request'));

export function validRequest(random: Random): { [key: string]: Json } {
  const inputs = random.chance(0.2) ? { s3: STORED_KEY } : { tensors: validTensors(random) };
  const output = random.pick<Json>([{}, { inline: 'auto' }, { inline: 'never' }]);
  // A copy, without fields that are undefined.
  return JSON.parse(JSON.stringify({ version: 1, inputs, ...(random.chance(0.5) && { output }) })) as {
    [key: string]: Json;
  };
}

function validTensors(random: Random): Record<string, InlineTensor> {
  const rows = random.below(4);
  const echoed = ECHOED.map((dtype) => {
    const shape = Array.from({ length: random.below(4) }, () => random.below(4));
    return [dtype, inlineTensor(random, dtype, shape)] as const;
  });
  return {
    x: inlineTensor(random, 'float32', [rows, 3]),
    scale: inlineTensor(random, 'float32', [random.pick([rows, 1]), 3]),
    ...Object.fromEntries(echoed),
  };
}

function inlineTensor(random: Random, dtype: TensorDataType, shape: number[]): InlineTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (dtype === 'string' || random.chance(0.5))
    return {
      dtype,
      shape,
      data: Array.from({ length: count }, () => element(random, dtype)),
    };
  const bytes = random.bytes(count * elementBytes(dtype));
  const valid = dtype === 'bool' ? bytes.map((byte) => byte & 1) : bytes;
  return { dtype, shape, base64: Buffer.from(valid).toString('base64') };
}

function element(random: Random, dtype: TensorDataType): string | boolean | number {
  if (dtype === 'string') return random.pick(TEXTS);
  if (dtype === 'bool') return random.chance(0.5);
  if (dtype.startsWith('float'))
    return random.pick([NUMBER, -NUMBER, 0, 65504, -0.1, 1e-7, random.below(1000)]);
  return random.between(dtype.startsWith('u') ? 0 : -128, 127);
}
