/** Shows tensors in the terminal: for each, its name, type and shape, then its first and extreme values. */
import { toTyped } from '../../client/tensors/from-raw';
import type { TypedTensor } from '../../client';
import { float16Value } from '../../lambda/tensors/float16';
import { describeTensor, type RawTensor } from '../../lambda/tensors/tensor';
import { printable, quoted } from '../../lib/errors';
import { grouped } from '../plan/figures';
import { formatNumber } from '../terminal/format';

const FIRST_VALUES = 4;
const TEXT_LENGTH = 24;

type Element = number | bigint | string;

/** A line with the name of each tensor, and lines about its values. */
export function outputSummary(tensors: ReadonlyMap<string, RawTensor>): string {
  const lines = [...tensors].flatMap(([name, raw]) => {
    const tensor = toTyped(raw);
    return [
      `${printable(name)}  ${describeTensor(tensor)}`,
      `  ${[firstValues(tensor), ...range(tensor)].join('\n  ')}`,
    ];
  });
  return lines.join('\n');
}

function firstValues(tensor: TypedTensor): string {
  const { data } = tensor;
  if (data.length === 0) return 'no values';
  const first = Array.from<Element>(data.slice(0, FIRST_VALUES) as Iterable<Element>);
  const shown = first.map((value) => valueText(tensor, value));
  return `${shown.join(' ')}${data.length > FIRST_VALUES ? ' …' : ''}`;
}

function valueText({ dtype }: TypedTensor, value: Element): string {
  if (typeof value === 'string') return quoted(printable(value, TEXT_LENGTH));
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  return dtype === 'float16' ? formatNumber(float16Value(Number(value))) : formatNumber(value);
}

/** The least and the greatest finite number, and how many others there are. */
function range(tensor: TypedTensor): string[] {
  if (tensor.dtype === 'string' || tensor.dtype === 'bool') return [];
  let min: number | bigint | undefined;
  let max: number | bigint | undefined;
  let [index, maxIndex] = [-1, 0];
  const others = new Map<string, number>();
  for (const element of tensor.data as Iterable<number | bigint>) {
    index++;
    const value = tensor.dtype === 'float16' ? float16Value(Number(element)) : element;
    if (typeof value === 'number' && !Number.isFinite(value)) {
      others.set(String(value), (others.get(String(value)) ?? 0) + 1);
      continue;
    }
    if (min === undefined || value < min) min = value;
    if (max === undefined || value > max) [max, maxIndex] = [value, index];
  }
  const counts = [...others].map(([name, count]) => `${grouped(count, 0)} ${name}`).join(', ');
  return [
    ...(min === undefined || max === undefined
      ? []
      : [`min ${formatNumber(min)}   max ${formatNumber(max)}${placeText(maxIndex, tensor)}`]),
    ...(counts === '' ? [] : [`${counts} of ${grouped(tensor.data.length, 0)} values`]),
  ];
}

/** ` at [0,7]`, where the shape has more than one place. */
function placeText(index: number, { shape, data }: TypedTensor): string {
  if (data.length === 1) return '';
  let rest = index;
  const place = shape.toReversed().map((size) => {
    const own = rest % size;
    rest = (rest - own) / size;
    return own;
  });
  return ` at [${place.reverse().join(',')}]`;
}
