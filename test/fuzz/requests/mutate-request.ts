/** Mutations of a request that most often leave it a request, so that it gets past the first checks. */
import { TENSOR_DATA_TYPES } from '../../../contract/tensors';
import { mutateBy } from '../fuzz-case';
import { define, mutateJson } from '../json/mutate-json';
import { HOSTILE_STRINGS, type Json, ODD_NUMBERS } from '../json/odd-values';
import type { Random } from '../random';
import { STORED_KEY } from './valid-requests';

interface Tensor {
  dtype: Json;
  shape: Json[];
  base64?: string;
  data?: Json[];
}

interface Request {
  inputs: { s3?: Json; tensors?: Record<string, Tensor> };
}

/** Limit of the mutations that know nothing of requests. */
const MOST_MUTATIONS = 3;

/** Elements at the limits of types, and of other kinds. */
const ODD_ELEMENTS: readonly Json[] = [
  ...ODD_NUMBERS,
  ...[-128, -129, 255, 256, 32_767, 32_768, -32_769, 65_535, 65_536, 65_504, 65_519.99, 65_520, 2049],
  ...[
    6e-8,
    2.9e-8,
    2 ** 31 - 1,
    -(2 ** 31) - 1,
    2 ** 32 - 1,
    2 ** 53 - 1,
    2 ** 53 + 2,
    2 ** 63,
    3.4028234e38,
  ],
  ...[3.4028236e38, 1e-46, 5e-324, 1.5, '1', 'NaN', null, true, [1], {}, 'a\0b', '\ud800', '\u2028'],
];

const ODD_KEYS = [
  ...'inputs/ inputs/none inputs//valid inputs/./valid inputs/../runs/a inputs/a/../../runs/a Inputs/valid'.split(
    ' ',
  ),
  ...'runs/machine/run/slice-00.safetensors outputs/machine/run.safetensors /inputs/valid s3://pipeline/inputs/valid'.split(
    ' ',
  ),
  ...[STORED_KEY, 'inputs/\ud800', 'inputs/a\nb', 'inputs/\u0085', `inputs/${'\u00e9'.repeat(600)}`],
  ...[1017, 1018].map((length) => `inputs/${'k'.repeat(length)}`),
];

const TENSOR_MUTATIONS: Readonly<Record<string, (random: Random, tensor: Tensor) => void>> = {
  'change a type': (random, tensor) => (tensor.dtype = random.pick(TENSOR_DATA_TYPES)),
  'change a shape': (random, { shape }) => {
    const size = random.chance(0.5) ? 1 : random.pick(ODD_NUMBERS);
    shape.splice(random.below(shape.length + 1), random.below(2), size);
  },
  'empty a tensor with huge sizes': (random, tensor) => {
    const size = random.pick([2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]);
    const sizes = [0, ...Array<number>(random.below(4)).fill(size), 3];
    tensor.shape = random.chance(0.5) ? sizes : sizes.reverse();
    if (tensor.base64 === undefined) tensor.data = [];
    else tensor.base64 = '';
  },
  'change an element': (random, { dtype, data = [] }) => {
    if (data.length === 0) return;
    // A whole number at or next to a limit of the type.
    const bits = Number(/\d+/.exec(String(dtype))?.[0] ?? 1);
    const limit = random.pick([0, -(2 ** (bits - 1)), 2 ** (bits - 1), 2 ** bits]) + random.pick([-1, 0, 1]);
    data[random.below(data.length)] = random.chance(0.5) ? random.pick(ODD_ELEMENTS) : limit;
  },
  'change the number of elements': (random, tensor) => {
    if (tensor.base64 !== undefined) tensor.base64 = otherBase64(random, tensor.base64);
    else if (random.chance(0.5)) tensor.data?.pop();
    else tensor.data?.push(1);
  },
  'change the encoding': (random, tensor) => {
    if (random.chance(0.5)) tensor.data ??= [];
    else tensor.base64 ??= '';
    if (random.chance(0.5)) Reflect.deleteProperty(tensor, random.pick(['data', 'base64']));
  },
};

/** Changes a valid request in place, and returns the names of the mutations. */
export function mutateRequest(random: Random, request: Json): string[] {
  const steps: string[] = [];
  const { inputs } = request as unknown as Request;
  const { tensors } = inputs;
  if (tensors === undefined || random.chance(0.1)) {
    inputs.s3 = random.pick(ODD_KEYS);
    if (random.chance(0.8)) Reflect.deleteProperty(inputs, 'tensors');
    steps.push('change the key');
  } else if (random.chance(0.1)) {
    const name = random.pick(Object.keys(tensors));
    define(
      tensors,
      random.pick([...HOSTILE_STRINGS, ...Object.keys(tensors), 'epsilon']),
      tensors[name],
    );
    if (random.chance(0.7)) Reflect.deleteProperty(tensors, name);
    steps.push('rename a tensor');
  } else if (random.chance(0.7)) {
    const tensor = random.pick(Object.values(tensors));
    steps.push(...mutateBy(random, TENSOR_MUTATIONS, 1, (mutate) => mutate(random, tensor)));
  }
  if (steps.length === 0 || random.chance(0.3)) steps.push(...mutateJson(random, request, MOST_MUTATIONS));
  return steps;
}

function otherBase64(random: Random, text: string): string {
  return random.pick([
    ...[text.slice(0, random.below(text.length + 1)), text.slice(0, -4), `${text.slice(1)}-`],
    ...[`${text}AAAA`, `${text}=`, `${text}\n`, ` ${text}`, text.replaceAll('A', '_')],
  ]);
}
