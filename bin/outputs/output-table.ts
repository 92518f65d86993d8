/** A short summary of tensors for the terminal: types, sizes, the first values and the range. */
import type { TypedTensor } from '../../client';
import { float16Value } from '../../lambda/tensors/float16';
import { describeTensor } from '../../lambda/tensors/tensor';
import { printable, quoted } from '../../lib/errors';
import { formatTable } from '../terminal/format';

const FIRST_VALUES = 4;
const TEXT_LENGTH = 24;
const DIGITS = 6;

type Element = number | bigint | string;

export function outputTable(tensors: ReadonlyMap<string, TypedTensor>): string {
  return formatTable(
    ['output', 'type', 'first values', 'min', 'max'],
    [...tensors].map(([name, tensor]) => [
      printable(name),
      describeTensor(tensor),
      firstValues(tensor),
      ...range(tensor),
    ]),
  );
}

function firstValues(tensor: TypedTensor): string {
  const { data } = tensor;
  if (data.length === 0) return 'none';
  const first = Array.from<Element>(data.slice(0, FIRST_VALUES) as Iterable<Element>);
  const shown = first.map((value) => valueText(tensor, value));
  return `${shown.join(' ')}${data.length > FIRST_VALUES ? ' …' : ''}`;
}

function valueText({ dtype }: TypedTensor, value: Element): string {
  if (typeof value === 'string') return quoted(printable(value, TEXT_LENGTH));
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  return dtype === 'float16' ? numberText(float16Value(Number(value))) : numberText(value);
}

function numberText(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(DIGITS)));
}

/** The least and the greatest number. NaN is neither; without numbers, both are empty. */
function range(tensor: TypedTensor): [min: string, max: string] {
  if (tensor.dtype === 'string' || tensor.dtype === 'bool') return ['', ''];
  let min: number | bigint | undefined;
  let max: number | bigint | undefined;
  for (const element of tensor.data as Iterable<number | bigint>) {
    const value = tensor.dtype === 'float16' ? float16Value(Number(element)) : element;
    if (Number.isNaN(value)) continue;
    if (min === undefined || value < min) min = value;
    if (max === undefined || value > max) max = value;
  }
  return min === undefined || max === undefined ? ['', ''] : [numberText(min), numberText(max)];
}
