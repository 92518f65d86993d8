/** Checks what a batch has written: the output of its execution and the rows of its table, which another program may have written. */
import type { BatchOutput, BatchRow, BatchSignature } from '../../contract/batch';
import type { ObjectReference } from '../../contract/execution';
import { CONTRACT_VERSION } from '../../contract/version';
import { isRecord, parsedRecord, quotedName } from '../../lambda/json-values';
import type { InferenceError } from '../errors';
import { invalidOutput, isEntry } from '../read-results';

/**
 * @param table where the batch writes it
 * @throws InferenceError `InvalidOutput` for the first field that is missing or malformed
 */
export function checkBatchOutput(text: string, table: ObjectReference): BatchOutput {
  const value = parsedRecord(text) ?? {};
  const { version, items, failures, usage } = value;
  const { bucket, key } = isRecord(value.table) ? value.table : {};
  const expected: readonly (readonly [what: string, isThere: boolean])[] = [
    [`version ${CONTRACT_VERSION}`, version === CONTRACT_VERSION],
    [`the table ${quotedName(table.key)}`, bucket === table.bucket && key === table.key],
    ['a deploymentDigest', typeof value.deploymentDigest === 'string'],
    ['the items of a batch', hasCounts(items, ['total', 'done', 'skipped', 'failed', 'pending'])],
    ['the failures of a batch', Array.isArray(failures) && failures.every(isFailureCount)],
    ['the milliseconds and the runs of a batch', hasCounts(value, ['milliseconds', 'runs'])],
    ['the usage of a batch', Array.isArray(usage) && usage.every((own) => hasCounts(own, ['calls', 'mbMs']))],
  ];
  const missing = expected.find(([, isThere]) => !isThere);
  if (missing === undefined) return value as unknown as BatchOutput;
  throw invalidOutput(missing[0], 'another one');
}

/** @param after index of the row before */
export function checkRow(line: string, signature: BatchSignature, after: number): BatchRow {
  const row = parsedRecord(line) ?? {};
  const { index, item, status, result, failure, processors } = row;
  const isPlaced = isCount(index) && index > after && typeof item === 'string';
  const isDone = (status === 'done' || status === 'skipped') && failure === undefined;
  const isKnown = processors === undefined || (Array.isArray(processors) && processors.every(isText));
  const isNone = result === undefined;
  const isEnded =
    (status === 'failed' && isFailure(failure) && isNone) ||
    (status === 'pending' && failure === undefined && isNone) ||
    (isDone && isResult(result, signature));
  if (isPlaced && isKnown && isEnded) return row as unknown as BatchRow;
  throw invalidRow(after + 1, signature);
}

export function invalidRow(place: number, { resultsPrefix }: BatchSignature): InferenceError {
  const fields = `index, item, status, and a failure or a result below ${quotedName(resultsPrefix)}`;
  return invalidOutput(`row ${place} of the table with ${fields}`, 'another one');
}

/** From outside: the caller may have permissions for other keys. */
function isResult(value: unknown, { resultsPrefix }: BatchSignature): boolean {
  const { key, entry } = isRecord(value) ? value : {};
  return (
    typeof key === 'string' &&
    key.startsWith(resultsPrefix) &&
    isEntry(entry) &&
    !/(^|\/)\.{1,2}(\/|$)/.test(key)
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function hasCounts(value: unknown, names: readonly string[]): boolean {
  return isRecord(value) && names.every((name) => isCount(value[name]));
}

function isFailure(value: unknown): boolean {
  return isRecord(value) && typeof value.error === 'string' && typeof value.message === 'string';
}

function isFailureCount(value: unknown): boolean {
  return isFailure(value) && hasCounts(value, ['count']) && typeof (value as BatchRow).item === 'string';
}
