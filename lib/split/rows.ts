/**
 * A table in parts by rows: each part answers the indices of its own rows and something else for the others, and the join selects. Indices outside of the
 * table still fail, as in the whole operator: they reach the last part as an index that it does not have.
 *
 * `Concat` and `GatherND` join the answers, because they copy elements of any type. ONNX Runtime's `Where` does not: it turns a -0.0 that it selects
 * from its first branch into 0.0.
 */
import { encodeInteger } from '../onnx/encode';
import { ONNX_INT64 } from '../onnx/data-type';
import type { NewNodes } from './new-nodes';
import type { PartRange } from './split';

interface Table {
  readonly output: string;
  readonly indices: string;
  readonly indicesRank: number;
  readonly rank: number;
  /** Adds the Gather of a part. @param local indexes of its rows, with one more axis than `indices` */
  gather(range: PartRange, local: string): string;
}

export function splitRows(added: NewNodes, ranges: readonly PartRange[], table: Table): void {
  const { output, indicesRank, rank } = table;
  const scalar = (value: number): string => added.integers([value], true);
  const add = (
    opType: string,
    inputs: readonly string[],
    what: string,
    ...attributes: Uint8Array[]
  ): string => added.add(opType, inputs, `${output}[${what}]`, ...attributes);
  const toIntegers = encodeInteger('to', ONNX_INT64);
  const [{ length }] = ranges;
  const last = added.integers([-1]);
  const integers = add('Cast', [table.indices], 'indices', toIntegers);
  // The answers get an axis along which they are stacked.
  const given = add('Unsqueeze', [integers, last], 'indices to stack');
  const isNegative = add('Less', [given, scalar(0)], 'is negative');
  const fromEnd = add('Add', [given, scalar(length)], 'from the end');
  const row = add('Where', [isNegative, fromEnd, given], 'rows or outside');
  const isOutside = add('Less', [row, scalar(0)], 'is outside');
  const rows = add('Where', [isOutside, scalar(length), row], 'rows');
  const answers = ranges.map((range) => {
    const { start, end } = range;
    const local = add('Sub', [rows, scalar(start)], `${start} rows less`);
    const bounds = end === length ? [scalar(0)] : [scalar(0), scalar(end - start - 1)];
    return table.gather(range, add('Clip', [local, ...bounds], `rows ${start} to ${end}`));
  });
  const stacked = add('Concat', answers, 'answers of all parts', encodeInteger('axis', -rank));
  const starts = added.integers(ranges.slice(1).map(({ start }) => start));
  const isReached = add('GreaterOrEqual', [rows, starts], 'reaches part');
  const reached = add('Cast', [isReached], 'parts reached', toIntegers);
  const part = add('ReduceSum', [reached, last], 'part');
  added.join('GatherND', [stacked, part], output, encodeInteger('batch_dims', indicesRank));
}
