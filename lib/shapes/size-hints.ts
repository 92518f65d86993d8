/** Finds what a model says about the sizes of its inputs: in its metadata, and in its tables of positions. */
import type { Model } from '../onnx/model';
import type { SizeHints } from './assumed-sizes';

/** Keys of metadata, in lower case, with the height and width of pictures: `imgsz` is that of Ultralytics. */
const PICTURE_KEYS = ['imgsz', 'image_size', 'img_size', 'input_size', 'crop_size'];
const BATCH_KEYS = ['batch', 'batch_size'];
const SEQUENCE_KEYS = [
  'max_length',
  'max_seq_length',
  'max_sequence_length',
  'model_max_length',
  'context_length',
];
const RATE_KEYS = ['sample_rate', 'sampling_rate', 'samplerate'];

/** Largest size that a hint may state. */
const MAX_HINT = 1e6;

export function sizeHints({ properties, graph }: Pick<Model, 'properties' | 'graph'>): SizeHints {
  const stated = new Map([...properties].map(([key, value]) => [key.toLowerCase(), numbersOf(value)]));
  const find = (keys: readonly string[]): readonly number[] | undefined =>
    keys.map((key) => stated.get(key)).find((numbers) => numbers !== undefined);
  const picture = find(PICTURE_KEYS);
  const batch = find(BATCH_KEYS)?.[0];
  const sampleRate = find(RATE_KEYS)?.[0];
  const limits = [find(SEQUENCE_KEYS)?.[0], positions(graph)].filter((size) => size !== undefined);
  return {
    ...(picture && { picture: [picture[0], picture.at(1) ?? picture[0]] as const }),
    ...(batch !== undefined && { batch }),
    ...(sampleRate !== undefined && { sampleRate }),
    ...(limits.length > 0 && { maxSequence: Math.min(...limits) }),
  };
}

/** One or two sizes, such as `640` or `[480, 640]`; `undefined` for another text. */
function numbersOf(text: string): readonly number[] | undefined {
  if (!/^\s*[[(]?\s*\d{1,7}\s*([,x]\s*\d{1,7}\s*)?[\])]?\s*$/.test(text)) return undefined;
  const numbers = (text.match(/\d+/g) ?? []).map(Number);
  return numbers.every((size) => size >= 1 && size <= MAX_HINT) ? numbers : undefined;
}

/** The number of rows of a table of embeddings by position, which limits the length of a sequence. */
function positions({ initializers, values }: Model['graph']): number | undefined {
  const rows = initializers
    .filter(({ value, tensor }) => tensor.dims.length === 2 && /position_?embed/i.test(values[value].name))
    .map(({ tensor }) => tensor.dims[0])
    .filter((size) => size >= 2);
  return rows.length === 0 ? undefined : rows.reduce((least, size) => Math.min(least, size));
}
