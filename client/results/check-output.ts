/** Checks an execution's output field by field: an execution of another state machine may have any. */
import type { ExecutionOutput, ObjectReference, SliceTiming } from '../../contract/execution';
import { OUTPUTS_PREFIX } from '../../contract/keys';
import { CONTRACT_VERSION } from '../../contract/version';
import { fieldValue, kindOf, quotedName } from '../../lambda/json-values';
import { MAX_EXECUTION_DATA_BYTES } from '../description/read-description';
import { InferenceError } from '../errors';
import { isRecord, parsedRecord, type JsonRecord } from '../json-record';

/** An output whose inline tensors are not decoded yet. */
export interface CheckedOutput extends Omit<ExecutionOutput, 'outputs'> {
  readonly object: ObjectReference;
  readonly tensors: JsonRecord | undefined;
}

const TIMING: Readonly<Record<keyof SliceTiming, 'number' | 'boolean'>> = {
  slice: 'number',
  startedAt: 'number',
  cold: 'boolean',
  warmedUp: 'boolean',
  weightBytes: 'number',
  loadMs: 'number',
  readMs: 'number',
  runMs: 'number',
  writeMs: 'number',
  bytesRead: 'number',
  bytesWritten: 'number',
  peakMemoryBytes: 'number',
};

/**
 * @param bucket of the pipeline: results in another one are refused
 * @throws InferenceError `InvalidOutput` for the first field that is missing, unknown or malformed
 */
export function checkOutput(text: string, bucket: string): CheckedOutput {
  const value = text.length <= MAX_EXECUTION_DATA_BYTES ? parsedRecord(text) : undefined;
  if (value === undefined) throw invalidOutput('a JSON object', 'something else');
  const fields = known(value, ['version', 'deploymentDigest', 'run', 'outputs', 'timings'], '');
  const { version, deploymentDigest, run, outputs, timings } = fields;
  if (version !== CONTRACT_VERSION) throw invalidOutput(`version ${CONTRACT_VERSION}`, fieldValue(version));
  if (typeof deploymentDigest !== 'string') throw invalidOutput('deploymentDigest', kindOf(deploymentDigest));
  if (typeof run !== 'string') throw invalidOutput('a run', kindOf(run));
  if (!Array.isArray(timings)) throw invalidOutput('a list of timings', kindOf(timings));
  const { s3, tensors } = known(outputs, ['s3', 'tensors'], 'outputs');
  if (tensors !== undefined && !isRecord(tensors)) throw invalidOutput('named tensors', kindOf(tensors));
  const object = checkObject(s3, bucket);
  return { version, deploymentDigest, run, object, tensors, timings: timings.map(checkTiming) };
}

function checkObject(value: unknown, expected: string): ObjectReference {
  const { bucket, key } = known(value, ['bucket', 'key'], 'outputs.s3');
  if (bucket !== expected) {
    const got = typeof bucket === 'string' ? quotedName(bucket) : kindOf(bucket);
    throw invalidOutput(`results in the bucket ${quotedName(expected)}`, got);
  }
  const isBelow =
    typeof key === 'string' &&
    key.startsWith(OUTPUTS_PREFIX) &&
    !key.split('/').some((segment) => segment === '.' || segment === '..');
  if (isBelow) return { bucket: expected, key };
  throw invalidOutput(
    `a key below ${quotedName(OUTPUTS_PREFIX)}`,
    typeof key === 'string' ? quotedName(key) : kindOf(key),
  );
}

function checkTiming(value: unknown): SliceTiming {
  const fields = known(value, Object.keys(TIMING), 'a timing');
  const bad = Object.entries(TIMING).find(([name, kind]) => typeof fields[name] !== kind);
  if (bad === undefined) return fields as unknown as SliceTiming;
  throw invalidOutput(`timings whose ${bad[0]} is a ${bad[1]}`, kindOf(fields[bad[0]]));
}

function known(value: unknown, allowed: readonly string[], subject: string): JsonRecord {
  if (!isRecord(value)) throw invalidOutput(`a JSON object as ${subject}`, kindOf(value));
  const unknown = Object.keys(value).find((field) => !allowed.includes(field));
  if (unknown === undefined) return value;
  const place = subject === '' ? '' : ` of ${subject}`;
  throw invalidOutput('known fields', `the field ${quotedName(unknown)}${place}`);
}

export function invalidOutput(expected: string, got: string, tensor?: string): InferenceError {
  return new InferenceError(
    'InvalidOutput',
    `the output of the execution must have ${expected}, got ${got}: use a version of the package that fits the pipeline`,
    { expected, got, ...(tensor !== undefined && { tensor }) },
  );
}
