/** Reads the table of a batch in parts, so that neither its size nor a slow reader matters. */
import type { BatchRow, BatchSignature } from '../../contract/batch';
import type { ObjectReference } from '../../contract/execution';
import { BrokenBodyError, type Objects } from '../aws/objects';
import { mayPass, repeated, type Repeating } from '../run/call';
import { checkRow, invalidRow } from './output';

const PART_BYTES = 4 * 2 ** 20;

const NEWLINE = 0x0a;

export async function* tableRows(
  table: ObjectReference,
  objects: Objects,
  signature: BatchSignature,
  requests: Repeating,
): AsyncGenerator<BatchRow, void, undefined> {
  let rest = Buffer.alloc(0);
  let last = -1;
  let start = 0;
  let etag: string | undefined;
  for (let total = Infinity; start < total;) {
    const range = { start, end: Math.min(start + PART_BYTES, total), etag };
    const read = () => objects.part(table, range, requests.signal);
    const part = await repeated(
      requests,
      read,
      (error) => mayPass(error) || error instanceof BrokenBodyError,
    );
    ({ total, etag } = part);
    start += part.bytes.byteLength;
    const bytes = Buffer.concat([rest, part.bytes]);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      const row = checkRow(bytes.toString('utf8', from, end), signature, last);
      last = row.index;
      from = end + 1;
      yield row;
    }
    rest = bytes.subarray(from);
    if (rest.byteLength > PART_BYTES)
      throw invalidRow(`row ${last + 1} of the table of at most ${PART_BYTES} bytes`);
  }
  if (rest.byteLength > 0) yield checkRow(rest.toString('utf8'), signature, last);
}
