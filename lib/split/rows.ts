/**
 * A table in parts by rows: each part answers the indices of its own rows and something else for the others, and the join selects. Indices outside of the
 * table still fail, as in the whole operator: they reach the last part as an index that it does not have.
 */
import { encodeInteger } from '../onnx/encode';
import type { NewNodes } from './new-nodes';
import type { PartRange } from './split';

interface Table {
  readonly output: string;
  readonly indices: string;
  readonly rank: number;
  /** Adds the Gather of a part. @param local indexes of its rows */
  gather(range: PartRange, local: string): string;
}

/** ONNX's number of int64, for Cast. */
const INT64 = 7;

export function splitRows(added: NewNodes, ranges: readonly PartRange[], table: Table): void {
  const { output, rank } = table;
  const scalar = (value: number): string => added.integers([value], true);
  const add = (opType: string, inputs: readonly string[], what: string): string =>
    added.add(opType, inputs, `${output}[${what}]`);
  const [{ length }] = ranges;
  const given = added.add('Cast', [table.indices], `${output}[indices]`, encodeInteger('to', INT64));
  const isNegative = add('Less', [given, scalar(0)], 'is negative');
  const fromEnd = add('Add', [given, scalar(length)], 'from the end');
  const row = add('Where', [isNegative, fromEnd, given], 'rows or outside');
  const isOutside = add('Less', [row, scalar(0)], 'is outside');
  const rows = add('Where', [isOutside, scalar(length), row], 'rows');
  const answers = ranges.map((range) => {
    const { start, end } = range;
    const local = add('Sub', [rows, scalar(start)], `${start} rows less`);
    const least = add('Max', [local, scalar(0)], `from row ${start} on`);
    const own =
      end === length ? least : add('Min', [least, scalar(end - start - 1)], `rows ${start} to ${end}`);
    return { start, answer: table.gather(range, own) };
  });
  const axes = added.integers(Array.from({ length: rank - 1 }, (_, axis) => axis - rank + 1));
  const [first, ...others] = answers;
  let joined = first.answer;
  others.forEach(({ start, answer }, index) => {
    const isBefore = add('Less', [rows, scalar(start)], `is before row ${start}`);
    const mask =
      rank === 1 ? isBefore : add('Unsqueeze', [isBefore, axes], `is before row ${start} of all columns`);
    const name = index === others.length - 1 ? output : added.name(`${output}[rows before ${start}]`);
    added.join('Where', [mask, joined, answer], name);
    joined = name;
  });
}
