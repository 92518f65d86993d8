/** The file of `--labels`: the names of a model's classes, and those of an output's highest scores. */
import type { TypedTensor } from '../../client';
import { isRecord } from '../../lambda/json-values';
import { float16Value } from '../../lambda/tensors/float16';
import { describeTensor, type TensorHead } from '../../lambda/tensors/tensor';
import { printable, quoted, SlicedInferenceError } from '../../lib/errors';
import { readText } from '../../lib/host/read-text';
import { grouped } from '../plan/figures';
import { formatNumber } from '../terminal/format';

/** Far above the vocabularies of language models. */
const MAX_BYTES = 64 * 2 ** 20;
const TOP = 5;
const LABEL_LENGTH = 60;

const ADVICE = 'pass one label a line, a JSON list, or JSON with `id2label`';

/** An output of the signature, in which a size may be unknown, or of a run. */
interface Head extends Pick<TensorHead, 'dtype'> {
  readonly name: string;
  readonly shape: readonly (number | string | null)[] | null;
}

/** @throws SlicedInferenceError for a file without labels, and if no output has, or may have, as many scores */
export function labelsFor(outputs: readonly Head[], path: string | undefined): readonly string[] | undefined {
  if (path === undefined) return undefined;
  const labels = readLabels(path);
  const { length } = labels;
  if (outputs.some((output) => hasScores(output, length))) return labels;
  const got = outputs.map((output) => `${quoted(output.name)} ${describeTensor(output)}`);
  throw new SlicedInferenceError(
    '--labels must have a label for each score in the last dimension of an output of floats',
    `${length} ${length === 1 ? 'label' : 'labels'} for ${got.join(', ')}`,
    'pass the labels of this model',
  );
}

/** @throws SlicedInferenceError for a file that cannot be read, or has something else */
function readLabels(path: string): readonly string[] {
  const file = 'file of --labels';
  const text = readText(path, file, MAX_BYTES, ADVICE);
  const value = parsed(text);
  const must = `${file} ${quoted(path)} must have a text for each index from 0 on`;
  const lines = text.replace(/[\r\n]+$/, '');
  if (lines === '') throw new SlicedInferenceError(must, 'an empty file', ADVICE);
  if (value === undefined && !/\.json$/i.test(path)) return lines.split(/\r?\n/);
  const list = isRecord(value) && isRecord(value.id2label) ? value.id2label : value;
  const labels = Object.entries(list ?? {});
  const bad = labels.findIndex(([key, label], index) => key !== String(index) || typeof label !== 'string');
  if (labels.length > 0 && bad < 0) return labels.map(([, label]) => label as string);
  const got = value === undefined ? 'text that is not JSON' : `none for index ${Math.max(0, bad)}`;
  throw new SlicedInferenceError(must, got, ADVICE);
}

/** `undefined` for lines of text, which may begin with a bracket, or be numbers. */
function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function hasScores({ dtype, shape }: Omit<Head, 'name'>, count: number): boolean {
  if (!dtype.startsWith('float')) return false;
  const last = shape === null ? null : shape.at(-1);
  return last === count || last === null || typeof last === 'string';
}

/** Lines with the labels of the highest scores of the first row; none for a tensor that has no scores. */
export function topLines(labels: readonly string[], tensor: TypedTensor): string[] {
  if (!hasScores(tensor, labels.length)) return [];
  const rows = tensor.data.length / labels.length;
  const scores = Array.from(tensor.data.slice(0, labels.length) as Iterable<number>, (value) =>
    tensor.dtype === 'float16' ? float16Value(value) : value,
  );
  const best = [...scores.keys()]
    .filter((index) => !Number.isNaN(scores[index]))
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, TOP)
    .map((index) => ({
      value: formatNumber(scores[index]),
      label: `${printable(labels[index], LABEL_LENGTH)} (${index})`,
    }));
  if (best.length === 0) return [];
  const width = Math.max(...best.map(({ value }) => value.length));
  const row = rows > 1 ? `, of the first of ${grouped(rows, 0)} rows` : '';
  return [
    `  the highest scores${row}:`,
    ...best.map(({ value, label }) => `    ${value.padStart(width)}  ${label}`),
  ];
}
