/** Mutations of a header that most often leave it well-formed, so that it gets past the first checks. */
import type { Json } from '../mutate-json';
import { HOSTILE_STRINGS, mutateJson, ODD_NUMBERS } from '../mutate-json';
import type { Random } from '../random';

export type Header = Record<string, Json>;

interface Stored {
  dtype: Json;
  shape: number[];
  data_offsets: number[];
}

const METADATA = '__metadata__';
const STRINGS = 'string_tensor.';
const CHECKSUM = 'tensor_crc32.';

const CODES = [
  ...['F32', 'F64', 'F16', 'I8', 'I16', 'I32', 'I64', 'U8', 'U16', 'U32', 'U64', 'BOOL'],
  ...['BF16', 'F8_E4M3', 'C64', 'f32', 'STRING', ''],
];

export const HEADER_MUTATIONS: Readonly<Record<string, (random: Random, header: Header) => void>> = {
  'change a type': (random, header) => {
    changeTensor(random, header, (tensor) => (tensor.dtype = random.pick(CODES)));
  },
  'change a shape': (random, header) => {
    changeTensor(random, header, (tensor) => {
      const at = random.below(tensor.shape.length + 1);
      const size = random.chance(0.6) ? 1 : random.pick(ODD_NUMBERS);
      tensor.shape.splice(at, random.below(2), ...Array<number>(random.magnitude(20)).fill(size));
    });
  },
  'reorder a shape': (random, header) => {
    changeTensor(random, header, (tensor) => tensor.shape.reverse());
  },
  'swap the bytes of two tensors': (random, header) => {
    const names = tensorNames(header);
    if (names.length === 0) return;
    const [a, b] = [random.pick(names), random.pick(names)].map((name) => stored(header, name));
    [a.data_offsets, b.data_offsets] = [b.data_offsets, a.data_offsets];
  },
  'move bytes to the next tensor': (random, header) => {
    const inOrder = tensorNames(header).map((name) => stored(header, name));
    const [first, second] = inOrder.slice(random.below(inOrder.length || 1));
    if ((second as Stored | undefined) === undefined) return;
    const bytes = random.pick([-8, -4, -1, 1, 4, 8]);
    first.data_offsets[1] += bytes;
    second.data_offsets[0] += bytes;
  },
  'move all offsets': (random, header) => {
    const bytes = random.pick([-1, 1, 8, 2 ** 53 - 1]);
    for (const name of tensorNames(header)) {
      const tensor = stored(header, name);
      tensor.data_offsets = tensor.data_offsets.map((offset) => offset + bytes);
    }
  },
  'rename a tensor': (random, header) => {
    const names = tensorNames(header);
    if (names.length === 0) return;
    const name = random.pick(names);
    const own = header[name];
    Reflect.deleteProperty(header, name);
    define(header, random.pick(HOSTILE_STRINGS), own);
  },
  'exchange two checksums': (random, header) => {
    const metadata = metadataOf(header);
    const keys = Object.keys(metadata).filter((key) => key.startsWith(CHECKSUM));
    if (keys.length === 0) return;
    const [a, b] = [random.pick(keys), random.pick(keys)];
    [metadata[a], metadata[b]] = [metadata[b], metadata[a]];
  },
  'drop the checksums': (random, header) => {
    const metadata = metadataOf(header);
    for (const key of Object.keys(metadata)) {
      if (key.includes('crc32') && random.chance(0.7)) Reflect.deleteProperty(metadata, key);
    }
  },
  'change strings': (random, header) => {
    const metadata = metadataOf(header);
    const keys = Object.keys(metadata).filter((key) => key.startsWith(STRINGS));
    const key = keys.length === 0 ? `${STRINGS}s` : random.pick(keys);
    const old = metadata[key] as string | undefined;
    const strings = JSON.parse(old ?? '{"shape":[1],"data":["a"]}') as Json;
    mutateJson(random, strings, 2);
    metadata[key] = JSON.stringify(strings);
  },
  'add a tensor without elements': (random, header) => {
    const end = Math.max(0, ...tensorNames(header).map((name) => stored(header, name).data_offsets[1]));
    define(header, random.pick(HOSTILE_STRINGS), { dtype: 'F32', shape: [0], data_offsets: [end, end] });
  },
};

function changeTensor(random: Random, header: Header, apply: (tensor: Stored) => void): void {
  const names = tensorNames(header);
  if (names.length > 0) apply(stored(header, random.pick(names)));
}

function tensorNames(header: Header): string[] {
  return Object.keys(header).filter((name) => name !== METADATA);
}

/** Only for headers that no other mutation has changed before. */
function stored(header: Header, name: string): Stored {
  return header[name] as unknown as Stored;
}

function metadataOf(header: Header): Record<string, Json> {
  return header[METADATA] as Record<string, Json>;
}

/** Defines the property, so that `__proto__` becomes a field of the file. */
function define(header: Header, name: string, value: Json): void {
  Object.defineProperty(header, name, { value, enumerable: true, writable: true, configurable: true });
}
