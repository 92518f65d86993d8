/** Checks what a batch has written: the output of its execution and the rows of its table, which another program may have written. */
import type { BatchOutput, BatchRow, BatchSignature } from '../../contract/batch';
import { CONTRACT_VERSION } from '../../contract/version';
import { fieldValue, isRecord, kindOf, quotedName } from '../../lambda/json-values';
import type { InferenceError } from '../errors';
import { parsedRecord } from '../failure-cause';
import { invalidOutput } from '../read-results';

/** @throws InferenceError `InvalidOutput` for the first field that is missing or malformed */
export function checkBatchOutput(text: string, signature: BatchSignature): BatchOutput {
  const value = parsedRecord(text);
  if (value === undefined) throw invalidOutput('a JSON object', 'something else');
  const { version, deploymentDigest, table, items, failures, milliseconds, usage } = value;
  if (version !== CONTRACT_VERSION) throw invalidOutput(`version ${CONTRACT_VERSION}`, fieldValue(version));
  if (typeof deploymentDigest !== 'string') throw invalidOutput('deploymentDigest', kindOf(deploymentDigest));
  const { bucket, key } = isRecord(table) ? table : {};
  if (bucket !== signature.bucket) {
    throw invalidOutput(`a table in the bucket ${quotedName(signature.bucket)}`, fieldValue(bucket));
  }
  requireBelow(key, signature, 'a table');
  if (!hasCounts(items, ['total', 'done', 'skipped', 'failed']))
    throw invalidOutput('counts of items', kindOf(items));
  if (!Array.isArray(failures) || !failures.every(isFailureCount)) {
    throw invalidOutput('a list of failures', kindOf(failures));
  }
  if (!isCount(milliseconds)) throw invalidOutput('milliseconds', kindOf(milliseconds));
  if (!Array.isArray(usage) || !usage.every((own) => hasCounts(own, ['calls', 'mbMs']))) {
    throw invalidOutput('a list of usage', kindOf(usage));
  }
  return value as unknown as BatchOutput;
}

const STATUSES: readonly unknown[] = ['done', 'skipped', 'failed'];

/** @param after index of the row before */
export function checkRow(line: string, signature: BatchSignature, after: number): BatchRow {
  const row = parsedRecord(line);
  const { index, item, status, result, failure, attempt } = row ?? {};
  const place = `row ${after + 1} of the table`;
  if (
    !isCount(index) ||
    index <= after ||
    !isCount(attempt) ||
    typeof item !== 'string' ||
    !STATUSES.includes(status)
  ) {
    throw invalidRow(`${place} with index, item, status and attempt`);
  }
  if (status === 'failed' ? !isFailure(failure) : result === undefined) {
    throw invalidRow(`${place} with ${status === 'failed' ? 'a failure' : 'a result'}`);
  }
  if (result !== undefined) requireBelow(result, signature, place);
  return row as unknown as BatchRow;
}

export function invalidRow(expected: string): InferenceError {
  return invalidOutput(expected, 'another one');
}

/** A key from outside: the caller may have permissions for others, and may make a path of it. */
function requireBelow(key: unknown, { resultsPrefix }: BatchSignature, subject: string): void {
  const isBelow =
    typeof key === 'string' &&
    key.startsWith(resultsPrefix) &&
    !/(^|\/)\.{1,2}(\/|$)/.test(key.slice(resultsPrefix.length));
  if (isBelow) return;
  const got = typeof key === 'string' ? quotedName(key) : kindOf(key);
  throw invalidOutput(`${subject} below ${quotedName(resultsPrefix)}`, got);
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
