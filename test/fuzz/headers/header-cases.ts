/** Creates the safetensors file of a run. */
import type { CaseSource, FuzzCase } from '../cases';
import { BYTE_MUTATIONS } from '../mutate-bytes';
import type { Json } from '../mutate-json';
import { mutateJson } from '../mutate-json';
import { Random } from '../random';
import { BASE_FILES } from './base-files';
import { fileOf, partsOf, seal } from './header-file';
import type { Header } from './mutate-header';
import { HEADER_MUTATIONS } from './mutate-header';

/** Sizes of the first read, which decide what is read by ranges. */
const FIRST_READS = [16, 1024, 8 * 1024 * 1024] as const;

interface HeaderChoice {
  /** Whether the header's checksum was computed after the mutations. */
  readonly isSealed: boolean;
  readonly firstReadBytes: number;
}

export function headerChoice(choice: number): HeaderChoice {
  return { isSealed: choice % 2 === 1, firstReadBytes: FIRST_READS[Math.floor(choice / 2)] };
}

/** Limit of mutations of one file. */
const MOST_MUTATIONS = 3;

/** Lengths of a header, as a file may state them. */
const ODD_LENGTHS = [
  ...[0n, 1n, 7n, 8n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n],
  ...[99_999_999n, 100_000_000n, 100_000_001n],
];

/** Headers that are expensive to read. */
const BOMBS: Readonly<Record<string, (random: Random) => string>> = {
  'deep nesting': (random) => '['.repeat(random.magnitude(1_000_000)),
  'deep nesting in a field': (random) => {
    const depth = random.magnitude(500_000);
    const field = random.pick(['x', '__metadata__']);
    const [start, end] = random.pick([
      ['[', ']'],
      ['{"shape":', '}'],
    ]);
    return `{"${field}":${start.repeat(depth)}1${end.repeat(depth)}}`;
  },
  'deep nesting in strings': (random) => {
    const strings = `{"shape":[1],"data":${'['.repeat(random.magnitude(500_000))}`;
    return JSON.stringify({ __metadata__: { 'string_tensor.s': strings } });
  },
  'many tensors': (random) =>
    JSON.stringify(
      Object.fromEntries(
        Array.from({ length: random.magnitude(20_000) }, (_, index) => [
          `x${index}`,
          { dtype: 'F32', shape: [0, index], data_offsets: [0, 0] },
        ]),
      ),
    ),
  'many sizes': (random) => {
    const shape = Array<number>(random.magnitude(200_000)).fill(random.pick([1, 2]));
    return JSON.stringify({ x: { dtype: 'F32', shape, data_offsets: [0, random.pick([0, 4])] } });
  },
  'a long name': (random) =>
    JSON.stringify({
      ['n\n'.repeat(random.magnitude(500_000))]: { dtype: 'F32', shape: [1], data_offsets: [0, 0] },
    }),
  'a long type': (random) =>
    JSON.stringify({
      x: { dtype: 'F'.repeat(random.magnitude(1_000_000)), shape: [1], data_offsets: [0, 4] },
    }),
};

export class HeaderCaseMaker implements CaseSource {
  constructor(private readonly seed: number) {}

  make(run: number): FuzzCase {
    const random = new Random(`${this.seed}:${run}`);
    const firstRead = random.below(FIRST_READS.length);
    const base = random.pick(BASE_FILES);
    const { steps, file, isSealed = false } = this.mutated(random, base.bytes);
    return {
      title: `${base.name}: ${steps.join(', ')}`,
      content: file,
      choice: 2 * firstRead + Number(isSealed),
    };
  }

  private mutated(random: Random, base: Uint8Array): Mutated {
    if (random.chance(0.02)) {
      const bomb = random.pick(Object.keys(BOMBS));
      const data = new Uint8Array(random.pick([0, 4]));
      return { steps: [bomb], file: fileOf({ header: Buffer.from(BOMBS[bomb](random)), data }) };
    }
    if (random.chance(0.3)) return inBytes(random, base);
    return inHeader(random, base);
  }
}

interface Mutated {
  readonly steps: readonly string[];
  readonly file: Uint8Array;
  readonly isSealed?: boolean;
}

function inBytes(random: Random, base: Uint8Array): Mutated {
  const steps: string[] = [];
  let file = base;
  for (let left = random.magnitude(MOST_MUTATIONS); left > 0; left--) {
    const step = random.pick(Object.keys(BYTE_MUTATIONS));
    file = BYTE_MUTATIONS[step](random, file, random.pick(BASE_FILES).bytes);
    steps.push(step);
  }
  return { steps, file };
}

function inHeader(random: Random, base: Uint8Array): Mutated {
  const { header, data } = partsOf(base);
  const steps: string[] = [];
  const document = JSON.parse(Buffer.from(header).toString()) as Header;
  if (random.chance(0.7)) {
    const step = random.pick(Object.keys(HEADER_MUTATIONS));
    HEADER_MUTATIONS[step](random, document);
    steps.push(step);
  }
  if (random.chance(0.4)) steps.push(...mutateJson(random, document, MOST_MUTATIONS));
  let text = Buffer.from(written(random, document, steps));
  if (random.chance(0.15)) {
    const step = random.pick(['flip bits', 'set bytes']);
    text = Buffer.from(BYTE_MUTATIONS[step](random, text, text));
    steps.push(`${step} of the header`);
  }
  const isSealed = random.chance(0.7) && seal(text);
  if (isSealed) steps.push('seal');
  const odd = random.chance(0.05);
  if (odd) steps.push('change the length');
  const length = random.chance(0.5)
    ? random.pick(ODD_LENGTHS)
    : BigInt(text.byteLength + random.between(-9, 9));
  return { steps, file: fileOf({ header: text, data }, odd ? length : undefined), isSealed };
}

/** The JSON of a header, with its padding. */
function written(random: Random, document: Json, steps: string[]): string {
  let text = JSON.stringify(document, undefined, random.chance(0.05) ? 2 : undefined);
  const keys = typeof document === 'object' && document !== null ? Object.keys(document) : [];
  if (random.chance(0.05) && keys.length > 0) {
    const copy = JSON.stringify({ [random.pick(keys)]: Object.values(document ?? {})[0] as Json }).slice(
      1,
      -1,
    );
    text = random.chance(0.5) ? `{${copy},${text.slice(1)}` : `${text.slice(0, -1)},${copy}}`;
    steps.push('repeat a key');
  }
  const bytes = Buffer.byteLength(text);
  return random.chance(0.8) ? text + ' '.repeat(Math.ceil(bytes / 8) * 8 - bytes) : text;
}
