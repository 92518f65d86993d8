/** Reads the table of a batch in parts, so that neither its size nor a slow reader matters. */
import type { BatchRow, BatchSignature } from '../../contract/batch';
import type { Objects } from '../aws/objects';
import { checkRow, invalidRow } from './output';

const PART_BYTES = 4 * 2 ** 20;

export type PartRange = Parameters<Objects['part']>[1];

export async function* tableRows(
  read: (range: PartRange) => ReturnType<Objects['part']>,
  signature: BatchSignature,
): AsyncGenerator<BatchRow, void, undefined> {
  let [start, total, last] = [0, Infinity, -1];
  let rest = Buffer.alloc(0);
  let etag: string | undefined;
  while (start < total) {
    const part = await read({ start, end: Math.min(start + PART_BYTES, total), etag });
    ({ total, etag } = part);
    start += part.bytes.byteLength;
    const bytes = Buffer.concat([rest, part.bytes]);
    const end = bytes.lastIndexOf('\n') + 1;
    for (const line of bytes.toString('utf8', 0, end).split('\n').slice(0, -1)) {
      const row = checkRow(line, signature, last);
      last = row.index;
      yield row;
    }
    rest = bytes.subarray(end);
    const isWhole = start < total ? rest.byteLength <= PART_BYTES : rest.byteLength === 0;
    if (!isWhole) throw invalidRow(last + 1, signature);
  }
}
