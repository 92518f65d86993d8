/** Checks what a batch has written: the output of its execution and the rows of its table, which another program may have written. */
import type { BatchOutput, BatchRow, BatchSignature } from '../../contract/batch';
import type { ObjectReference } from '../../contract/execution';
import { CONTRACT_VERSION } from '../../contract/version';
import { parsedRecord, quotedName } from '../../lambda/json-values';
import { type Check, isCount, isNone, isText, listOf, recordOf } from '../checked-fields';
import type { InferenceError } from '../errors';
import { invalidOutput, isEntry } from '../read-results';

const FAILURE = { error: isText, message: isText };

const COUNTS = { total: isCount, done: isCount, skipped: isCount, failed: isCount, pending: isCount };

/**
 * @param table where the batch writes it
 * @throws InferenceError `InvalidOutput` for the first field that is missing or malformed
 */
export function checkBatchOutput(text: string, table: ObjectReference): BatchOutput {
  const value = parsedRecord(text) ?? {};
  const isTable = recordOf({ bucket: (own) => own === table.bucket, key: (own) => own === table.key });
  const expected: readonly (readonly [field: string, fits: Check, what?: string])[] = [
    ['version', (version) => version === CONTRACT_VERSION, `version ${CONTRACT_VERSION}`],
    ['table', isTable, `the table ${quotedName(table.key)}`],
    ['deploymentDigest', isText],
    ['items', recordOf(COUNTS)],
    ['failures', listOf(recordOf({ ...FAILURE, count: isCount, item: isText }))],
    ['milliseconds', isCount],
    ['runs', isCount],
    ['usage', listOf(recordOf({ calls: isCount, mbMs: isCount }))],
  ];
  const missing = expected.find(([field, fits]) => !fits(value[field]));
  if (missing === undefined) return value as unknown as BatchOutput;
  const [field, , what = `the ${field} of a batch`] = missing;
  throw invalidOutput(what, 'another one');
}

/** @param after index of the row before */
export function checkRow(line: string, signature: BatchSignature, after: number): BatchRow {
  const row = parsedRecord(line) ?? {};
  const hasResult = row.status === 'done' || row.status === 'skipped';
  const isFailed = row.status === 'failed';
  const isRow = recordOf({
    index: (index) => isCount(index) && Number(index) > after,
    item: isText,
    status: () => hasResult || isFailed || row.status === 'pending',
    result: hasResult ? resultBelow(signature.resultsPrefix) : isNone,
    failure: isFailed ? recordOf(FAILURE) : isNone,
    processors: (processors) => isNone(processors) || listOf(isText)(processors),
  });
  if (isRow(row)) return row as unknown as BatchRow;
  throw invalidRow(after + 1, signature);
}

export function invalidRow(place: number, { resultsPrefix }: BatchSignature): InferenceError {
  const fields = `index, item, status, and a failure or a result below ${quotedName(resultsPrefix)}`;
  return invalidOutput(`row ${place} of the table with ${fields}`, 'another one');
}

/** From outside: the caller may have permissions for other keys. */
function resultBelow(prefix: string): Check {
  const isBelow: Check = (key) =>
    typeof key === 'string' && key.startsWith(prefix) && !/(^|\/)\.{1,2}(\/|$)/.test(key);
  return recordOf({ key: isBelow, entry: isEntry });
}
