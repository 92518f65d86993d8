/** Mutations of a request that most often leave it a request, so that it gets past the first checks. */
import { TENSOR_DATA_TYPES } from '../../../contract/tensors';
import type { Json } from '../mutate-json';
import { HOSTILE_STRINGS, mutateJson, ODD_NUMBERS } from '../mutate-json';
import type { Random } from '../random';

interface Tensor {
  dtype: Json;
  shape: Json[];
  base64?: string;
  data?: Json[];
}

interface Request {
  inputs: { s3?: Json; tensors?: Record<string, Tensor> };
}

/** Elements at the limits of types, and of other kinds. */
const ODD_ELEMENTS: readonly Json[] = [
  ...ODD_NUMBERS,
  ...[
    -128, -129, 255, 256, 32_767, 32_768, -32_769, 65_535, 65_536, 65_504, 65_519.99, 65_520, 2049, 6e-8,
    2.9e-8,
  ],
  ...[
    2 ** 31 - 1,
    -(2 ** 31) - 1,
    2 ** 32 - 1,
    2 ** 53 - 1,
    2 ** 53 + 2,
    2 ** 63,
    3.4028234e38,
    3.4028236e38,
  ],
  ...[1e-46, 5e-324, 1.5, '1', 'NaN', null, true, [1], {}, 'a\0b', '\ud800', '\u2028'],
];

const ODD_KEYS: readonly string[] = [
  ...['inputs/', 'inputs/none', 'inputs//tiny', 'inputs/./tiny', 'inputs/../runs/a', 'inputs/a/../../runs/a'],
  ...[
    'Inputs/tiny',
    'runs/machine/run/slice-00.safetensors',
    'outputs/machine/run.safetensors',
    '/inputs/tiny',
  ],
  ...[
    'inputs/\ud800',
    'inputs/a\nb',
    'inputs/\u0085',
    `inputs/${'k'.repeat(1017)}`,
    `inputs/${'k'.repeat(1018)}`,
  ],
  ...[`inputs/${'\u00e9'.repeat(600)}`, 's3://pipeline/inputs/tiny', 'inputs/tiny', 'inputs/echo'],
];

const REQUEST_MUTATIONS: Readonly<Record<string, (random: Random, request: Request) => void>> = {
  'change a type': (random, request) => {
    changeTensor(random, request, (tensor) => (tensor.dtype = random.pick(TENSOR_DATA_TYPES)));
  },
  'change a shape': (random, request) => {
    changeTensor(random, request, ({ shape }) => {
      const size = random.chance(0.5) ? 1 : random.pick(ODD_NUMBERS);
      shape.splice(random.below(shape.length + 1), random.below(2), size);
    });
  },
  'empty a tensor with huge sizes': (random, request) => {
    changeTensor(random, request, (tensor) => {
      const size = random.pick([2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]);
      const sizes = [0, ...Array<number>(random.below(4)).fill(size), 3];
      tensor.shape = random.chance(0.5) ? sizes : sizes.reverse();
      if (tensor.base64 === undefined) tensor.data = [];
      else tensor.base64 = '';
    });
  },
  'change an element': (random, request) => {
    const all = Object.values(request.inputs.tensors ?? {});
    const filled = all.filter(({ data }) => data !== undefined && data.length > 0);
    if (filled.length === 0) return;
    const { dtype, data = [] } = random.pick(filled);
    const odd = random.chance(0.5) ? random.pick(ODD_ELEMENTS) : atLimit(random, dtype);
    data[random.below(data.length)] = odd;
  },
  'change the number of elements': (random, request) => {
    changeTensor(random, request, (tensor) => {
      if (tensor.base64 !== undefined) tensor.base64 = otherBase64(random, tensor.base64);
      else if (random.chance(0.5)) tensor.data?.pop();
      else tensor.data?.push(1);
    });
  },
  'change the encoding': (random, request) => {
    changeTensor(random, request, (tensor) => {
      if (random.chance(0.5)) tensor.data ??= [];
      else tensor.base64 ??= '';
      if (random.chance(0.5)) Reflect.deleteProperty(tensor, random.pick(['data', 'base64']));
    });
  },
  'rename a tensor': (random, request) => {
    const { tensors } = request.inputs;
    const names = Object.keys(tensors ?? {});
    if (tensors === undefined || names.length === 0) return;
    const name = random.pick(names);
    define(tensors, random.pick([...HOSTILE_STRINGS, ...names, 'epsilon']), tensors[name]);
    if (random.chance(0.7)) Reflect.deleteProperty(tensors, name);
  },
  'change the key': (random, request) => {
    request.inputs.s3 = random.pick(ODD_KEYS);
    if (random.chance(0.8)) Reflect.deleteProperty(request.inputs, 'tensors');
  },
};

/** Limit of mutations of one request. */
const MOST_MUTATIONS = 3;

/** Changes a valid request, and returns the names of the mutations. */
export function mutateRequest(random: Random, request: Json): string[] {
  const steps: string[] = [];
  if (random.chance(0.7)) {
    const step = random.pick(Object.keys(REQUEST_MUTATIONS));
    REQUEST_MUTATIONS[step](random, request as unknown as Request);
    steps.push(step);
  }
  if (steps.length === 0 || random.chance(0.3)) steps.push(...mutateJson(random, request, MOST_MUTATIONS));
  return steps;
}

function changeTensor(
  random: Random,
  { inputs: { tensors = {} } }: Request,
  apply: (tensor: Tensor) => void,
): void {
  const all = Object.values(tensors);
  if (all.length > 0) apply(random.pick(all));
}

/** A whole number at or next to a limit of the type. */
function atLimit(random: Random, dtype: Json): number {
  const bits = Number(/\d+/.exec(typeof dtype === 'string' ? dtype : '')?.[0] ?? 1);
  const limit = random.pick([0, -(2 ** (bits - 1)), 2 ** (bits - 1), 2 ** bits]);
  return limit + random.pick([-1, 0, 1]);
}

function otherBase64(random: Random, text: string): string {
  return random.pick([
    text.slice(0, random.below(text.length + 1)),
    text.slice(0, -4),
    `${text}AAAA`,
    `${text}=`,
    `${text.slice(1)}-`,
    text.replaceAll('A', '_'),
    `${text}\n`,
    ` ${text}`,
  ]);
}

/** Defines the property, so that `__proto__` becomes a name in the request. */
function define(tensors: Record<string, Tensor>, name: string, value: Tensor): void {
  Object.defineProperty(tensors, name, { value, enumerable: true, writable: true, configurable: true });
}
