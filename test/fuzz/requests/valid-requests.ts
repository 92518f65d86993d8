/** Creates valid requests for the tiny slices (`x` and `scale`, rows of three) and for the slice that echoes all types. */
import type { TensorDataType } from '../../../contract/tensors';
import { TENSOR_DATA_TYPES } from '../../../contract/tensors';
import type { Json } from '../mutate-json';
import type { Random } from '../random';

export const MODELS = ['tiny', 'echo'] as const;

export type ModelName = (typeof MODELS)[number];

/** Occur in no message of the library, so they show if contents of a request get into one. */
const NUMBER = 4711.4711;
const TEXTS = ['the patient is ill', 'their account is empty \u{1f600}', ''];

/** Keys of valid requests in S3: see `stored-requests.ts`. */
export const STORED_KEYS: Readonly<Record<ModelName, string>> = { tiny: 'inputs/tiny', echo: 'inputs/echo' };

export function validRequest(random: Random, model: ModelName): Json {
  const inputs: Json = random.chance(0.2)
    ? { s3: STORED_KEYS[model] }
    : { tensors: model === 'tiny' ? tinyTensors(random) : echoTensors(random) };
  const output = random.pick<Json>([{}, { inline: 'auto' }, { inline: 'never' }]);
  return { version: 1, inputs, ...(random.chance(0.5) && { output }) };
}

export function tinyTensors(random: Random): Record<string, Json> {
  const rows = random.below(4);
  const others = random.pick([rows, 1]);
  return {
    x: inlineTensor(random, 'float32', [rows, 3]),
    scale: inlineTensor(random, 'float32', [others, 3]),
  };
}

export function echoTensors(random: Random): Record<string, Json> {
  return Object.fromEntries(
    TENSOR_DATA_TYPES.map((dtype) => {
      const shape = Array.from({ length: random.below(4) }, () => random.below(4));
      return [dtype, inlineTensor(random, dtype, shape)];
    }),
  );
}

const ELEMENT_BYTES: Readonly<Record<Exclude<TensorDataType, 'string'>, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
};

function inlineTensor(random: Random, dtype: TensorDataType, shape: readonly number[]): Json {
  const count = shape.reduce((product, size) => product * size, 1);
  const head = { dtype, shape: [...shape] };
  if (dtype !== 'string' && random.chance(0.5)) {
    const bytes = random.bytes(count * ELEMENT_BYTES[dtype]);
    const valid = dtype === 'bool' ? bytes.map((byte) => byte & 1) : bytes;
    return { ...head, base64: Buffer.from(valid).toString('base64') };
  }
  return { ...head, data: Array.from({ length: count }, () => element(random, dtype)) };
}

function element(random: Random, dtype: TensorDataType): Json {
  if (dtype === 'string') return random.pick(TEXTS);
  if (dtype === 'bool') return random.chance(0.5);
  if (dtype.startsWith('float'))
    return random.pick([NUMBER, -NUMBER, 0, 65504, -0.1, 1e-7, random.below(1000)]);
  const least = dtype.startsWith('u') ? 0 : -128;
  return random.between(least, 127);
}
