/** Creates the safetensors file of a run. */
import type { FuzzCase } from '../case';
import { jsonBomb } from '../json-bombs';
import { BYTE_MUTATIONS } from '../mutate-bytes';
import { mutateJson } from '../mutate-json';
import { type Json, ODD_SHAPES, words } from '../odd-values';
import type { Random } from '../random';
import { BASE_FILES, fileOf, partsOf, seal } from './header-file';

/** Sizes of the first read, which decide what is read by ranges. */
const FIRST_READS = [16, 1024, 8 * 1024 * 1024] as const;

export interface HeaderSettings {
  /** Whether the header's checksum was computed after the mutations. */
  readonly isSealed: boolean;
  readonly firstReadBytes: number;
}

/** Limits of mutations of one file, and of the characters of a bomb. */
const [MOST_MUTATIONS, MOST_BOMB] = [3, 3_000_000];

/** Lengths of a header, as a file may state them. */
const ODD_LENGTHS = [
  ...[0n, 1n, 7n, 8n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n],
  ...[99_999_999n, 100_000_000n, 100_000_001n],
];

const ODD_FIELDS = {
  dtype: words('F32 F64 F16 I8 I16 I32 I64 U8 U16 U32 U64 BOOL BF16 F8_E4M3 C64 f32 STRING'),
  shape: ODD_SHAPES,
};

interface Mutated {
  readonly steps: readonly string[];
  readonly file: Uint8Array;
  readonly isSealed?: boolean;
}

export function headerCase(random: Random): FuzzCase {
  const firstReadBytes = random.pick(FIRST_READS);
  const { name, bytes } = random.pick(BASE_FILES);
  const mutate = random.chance(0.02) ? bomb : random.chance(0.3) ? inBytes : inHeader;
  const { steps, file, isSealed = false } = mutate(random, bytes);
  const settings: HeaderSettings = { isSealed, firstReadBytes };
  return { title: `${name}: ${steps.join(', ')}`, content: file, settings };
}

function bomb(random: Random, base: Uint8Array): Mutated {
  const { header, data } = partsOf(base);
  const { step, text } = jsonBomb(random, JSON.parse(Buffer.from(header).toString()) as Json, MOST_BOMB);
  return { steps: [step], file: fileOf({ header: Buffer.from(text), data }) };
}

function inBytes(random: Random, base: Uint8Array): Mutated {
  let file = base;
  const steps = random.applySome(BYTE_MUTATIONS, MOST_MUTATIONS, (mutate) => {
    file = mutate(random, file, random.pick(BASE_FILES).bytes);
  });
  return { steps, file };
}

function inHeader(random: Random, base: Uint8Array): Mutated {
  const { header, data } = partsOf(base);
  const document = JSON.parse(Buffer.from(header).toString()) as Record<string, Json>;
  const steps = random.chance(0.9) ? mutateJson(random, document, MOST_MUTATIONS, ODD_FIELDS) : [];
  // Without checksums, more mutated tensors are accepted.
  if (random.chance(0.2)) {
    document.__metadata__ = {};
    steps.push('drop the checksums');
  }
  const text = Buffer.from(written(random, document, steps));
  const isSealed = random.chance(0.7) && seal(text);
  if (isSealed) steps.push('seal');
  if (random.chance(0.95)) return { steps, file: fileOf({ header: text, data }), isSealed };
  const length = random.pick([BigInt(text.byteLength + random.between(-9, 9)), random.pick(ODD_LENGTHS)]);
  return { steps: [...steps, 'change the length'], file: fileOf({ header: text, data }, length), isSealed };
}

/** The JSON of a header, with its padding; sometimes with a key twice. */
function written(random: Random, document: Record<string, Json>, steps: string[]): string {
  let text = JSON.stringify(document, undefined, random.chance(0.05) ? 2 : undefined);
  const keys = Object.keys(document);
  if (random.chance(0.05) && keys.length > 0) {
    const copy = `${JSON.stringify(random.pick(keys))}:${JSON.stringify(document[keys[0]])}`;
    text = random.chance(0.5) ? `{${copy},${text.slice(1)}` : `${text.slice(0, -1)},${copy}}`;
    steps.push('repeat a key');
  }
  const bytes = Buffer.byteLength(text);
  return random.chance(0.8) ? text + ' '.repeat(Math.ceil(bytes / 8) * 8 - bytes) : text;
}
