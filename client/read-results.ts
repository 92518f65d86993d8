/** Checks an execution's output field by field, since that of another state machine may have any, and reads its results there or in S3. */
import { entryName } from '../contract/batch-pack';
import type { CallTiming, ExecutionOutput, ObjectReference, ServedBy } from '../contract/execution';
import { OUTPUTS_PREFIX, outputObjectKey } from '../contract/keys';
import { CONTRACT_VERSION } from '../contract/version';
import {
  fieldValue,
  isRecord,
  type JsonRecord,
  kindOf,
  parsedRecord,
  quotedName,
} from '../lambda/json-values';
import { MAX_CALL_BYTES } from '../contract/direct-call';
import { InferenceError } from './errors';
import { ERROR_NAMES } from '../contract/failures';
import type { PipelineSignature } from '../contract/signature';
import { decodeInlineTensor } from '../lambda/request/inline-tensor';
import { decodeSafetensors, SafetensorsError } from '../lambda/tensors/safetensors';
import { describeTensor, type RawTensor } from '../lambda/tensors/tensor';
import { type Objects, BrokenBodyError } from './aws/objects';

export interface CheckedOutput extends Omit<ExecutionOutput, 'outputs'> {
  readonly results:
    | { readonly object: ObjectReference; readonly entry?: number; readonly tensors: undefined }
    // Without an object if the request wants the results inline only.
    | { readonly object: ObjectReference | undefined; readonly tensors: JsonRecord };
}

/** The fields of every timing. It also has a slice, or says that it is of the whole model; those of earlier versions have no processor. */
const TIMING: Readonly<
  Record<Exclude<keyof CallTiming, 'slice' | 'whole' | 'processor'>, 'number' | 'boolean'>
> = {
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
  memoryMb: 'number',
};

/**
 * Fields that this version does not know are left as they are: a newer pipeline may state more.
 *
 * The caller has to check the bucket of the results with `requireBucket`.
 * @throws InferenceError `InvalidOutput` for the first field that is missing or malformed
 */
export function checkOutput(text: string): CheckedOutput {
  const value = text.length <= MAX_CALL_BYTES ? parsedRecord(text) : undefined;
  if (value === undefined) throw invalidOutput('a JSON object', 'something else');
  const { version, deploymentDigest, run, outputs, timings, servedBy } = value;
  if (version !== CONTRACT_VERSION) throw invalidOutput(`version ${CONTRACT_VERSION}`, fieldValue(version));
  if (typeof deploymentDigest !== 'string') throw invalidOutput('deploymentDigest', kindOf(deploymentDigest));
  if (typeof run !== 'string') throw invalidOutput('a run', kindOf(run));
  if (!Array.isArray(timings)) throw invalidOutput('a list of timings', kindOf(timings));
  if (!isServedBy(servedBy)) throw invalidOutput("servedBy of 'whole' or 'slices'", fieldValue(servedBy));
  return {
    ...{ version, deploymentDigest, run, results: checkPlaces(recordOf(outputs, 'outputs')) },
    ...(servedBy !== undefined && { servedBy }),
    timings: timings.map(checkTiming),
  };
}

function checkPlaces({ s3, entry, tensors }: JsonRecord): CheckedOutput['results'] {
  if (tensors !== undefined && !isRecord(tensors)) throw invalidOutput('named tensors', kindOf(tensors));
  if (entry !== undefined && !isEntry(entry)) throw invalidOutput('an entry of a pack', fieldValue(entry));
  if (tensors === undefined)
    return { object: checkObject(s3), ...(entry !== undefined && { entry }), tensors };
  return { object: s3 === undefined ? undefined : checkObject(s3), tensors };
}

export function requireBucket({ results }: CheckedOutput, expected: string, advice: string): void {
  const { object } = results;
  if (object === undefined || object.bucket === expected) return;
  const [wanted, got] = [quotedName(expected), quotedName(object.bucket)];
  throw new InferenceError(
    'InvalidOutput',
    `the results of the execution must be in the bucket ${wanted}, got ${got}: ${advice}`,
    { expected: wanted, got },
  );
}

/**
 * The run is named after its execution: by the last two segments of the ARN, and in a Standard one also by its start.
 * @throws InferenceError `InvalidOutput` for the run of another execution, and for results under the key of another run
 */
export function requireRun({ run, results }: CheckedOutput, executionArn: string): void {
  const own = executionArn.split(':').slice(-2).join('/');
  const isOwn = run.startsWith(own) && /^(\/\d+)?$/.test(run.slice(own.length));
  if (!isOwn) throw invalidOutput(`the run ${quotedName(own)} of its execution`, quotedName(run));
  const [expected, key] = [outputObjectKey(run), results.object?.key];
  if (key !== undefined && key !== expected) {
    throw invalidOutput(`results at ${quotedName(expected)}`, quotedName(key));
  }
}

/** Only pipelines with consolidation say it. */
function isServedBy(value: unknown): value is ServedBy | undefined {
  return value === undefined || value === 'whole' || value === 'slices';
}

function checkObject(value: unknown): ObjectReference {
  const { bucket, key } = recordOf(value, 'outputs.s3');
  if (typeof bucket !== 'string') throw invalidOutput('results in a bucket', kindOf(bucket));
  const isBelow =
    typeof key === 'string' &&
    key.startsWith(OUTPUTS_PREFIX) &&
    !key.split('/').some((segment) => segment === '.' || segment === '..');
  if (isBelow) return { bucket, key };
  throw invalidOutput(
    `a key below ${quotedName(OUTPUTS_PREFIX)}`,
    typeof key === 'string' ? quotedName(key) : kindOf(key),
  );
}

function checkTiming(value: unknown): CallTiming {
  const fields = recordOf(value, 'a timing');
  const part = fields.whole === true ? {} : ({ slice: 'number' } as const);
  const processor = fields.processor === undefined ? {} : ({ processor: 'string' } as const);
  const bad = Object.entries({ ...part, ...TIMING, ...processor }).find(
    ([name, kind]) => typeof fields[name] !== kind,
  );
  if (bad === undefined) return fields as unknown as CallTiming;
  throw invalidOutput(`timings whose ${bad[0]} is a ${bad[1]}`, kindOf(fields[bad[0]]));
}

function recordOf(value: unknown, subject: string): JsonRecord {
  if (isRecord(value)) return value;
  throw invalidOutput(`a JSON object as ${subject}`, kindOf(value));
}

export function invalidOutput(expected: string, got: string, tensor?: string): InferenceError {
  return new InferenceError(
    'InvalidOutput',
    `the output of the execution must have ${expected}, got ${got}: use a version of the package that fits the pipeline`,
    { expected, got, ...(tensor !== undefined && { tensor }) },
  );
}

/** The classes of the processors of a run, each once. */
export function processorsOf(timings: readonly CallTiming[]): string[] {
  return [...new Set(timings.flatMap(({ processor }) => processor ?? []))];
}

/** As often as slice functions read a damaged object. */
const MOST_READS = 3;

export async function readResults(
  output: CheckedOutput,
  signature: PipelineSignature,
  objects: Objects,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RawTensor>> {
  const tensors = await readResultTensors(output, objects, signal);
  // A deployment during the run may have changed the outputs.
  if (output.deploymentDigest === signature.deploymentDigest) checkResults(signature, tensors);
  return tensors;
}

export async function readResultTensors(
  { results }: CheckedOutput,
  objects: Objects,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RawTensor>> {
  if (results.tensors === undefined) {
    const tensors = await readTensors(results.object, objects, signal);
    return results.entry === undefined ? tensors : tensorsOfEntry(tensors, results.entry);
  }
  return new Map(Object.entries(results.tensors).map(([name, tensor]) => [name, decode(name, tensor)]));
}

function decode(name: string, tensor: unknown): RawTensor {
  try {
    return decodeInlineTensor(name, tensor);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidOutput(`a tensor as ${quotedName(name)}`, `a malformed one (${reason})`, name);
  }
}

export function isEntry(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * The tensors of one item of a batch, in an object with those of several. They are copies: a caller may write to them, and does not keep
 * the object in memory.
 * @throws InferenceError `InvalidOutput` if it has none
 */
export function tensorsOfEntry(
  tensors: ReadonlyMap<string, RawTensor>,
  entry: number,
): ReadonlyMap<string, RawTensor> {
  const start = entryName(entry, '');
  const own = [...tensors].filter(([name]) => name.startsWith(start));
  if (own.length === 0) throw invalidOutput(`tensors of the entry ${entry}`, 'none');
  return new Map(own.map(([name, tensor]) => [name.slice(start.length), copyOf(tensor)]));
}

function copyOf(tensor: RawTensor): RawTensor {
  if (tensor.dtype === 'string') return { ...tensor, strings: [...tensor.strings] };
  // `slice` of a Buffer would be a view.
  return { ...tensor, bytes: new Uint8Array(tensor.bytes) };
}

export async function readTensors(
  object: ObjectReference,
  objects: Objects,
  signal: AbortSignal,
): Promise<Map<string, RawTensor>> {
  for (let reads = 1; ; reads++) {
    try {
      return decodeSafetensors(await objects.get(object, signal));
    } catch (error) {
      const isDamaged = error instanceof SafetensorsError || error instanceof BrokenBodyError;
      if (!isDamaged) throw error;
      if (reads < MOST_READS) continue;
      throw new InferenceError(
        ERROR_NAMES.corruptTensor,
        `the results ${quotedName(object.key)} must be whole, got damaged ones in ${MOST_READS} reads: ${error.message}`,
        { cause: error },
      );
    }
  }
}

export function checkResults(
  { outputs }: Pick<PipelineSignature, 'outputs'>,
  tensors: ReadonlyMap<string, RawTensor>,
): void {
  for (const spec of outputs) {
    const tensor = tensors.get(spec.name);
    const got = tensor === undefined ? 'none' : describeTensor(tensor);
    if (tensor?.dtype === spec.dtype) continue;
    throw invalidOutput(`the tensor ${quotedName(spec.name)} ${describeTensor(spec)}`, got, spec.name);
  }
  if (tensors.size !== outputs.length) throw invalidOutput(`${outputs.length} tensors`, String(tensors.size));
}
