/** What a state machine says about its batch. Anyone can write the comment that has it, so everything is checked. */
import { BATCH_SIGNATURE_KEY, type BatchSignature } from '../../contract/batch';
import { CONTRACT_VERSION } from '../../contract/version';
import { fieldValue, isRecord, type JsonRecord } from '../../lambda/json-values';
import {
  BUCKET,
  isSpec,
  MAX_DEFINITION_CHARACTERS,
  type Described,
} from '../description/pipeline-description';
import { InferenceError } from '../errors';
import { parsedRecord } from '../failure-cause';

const KINDS: readonly unknown[] = ['objects', 'inventory', 'jsonLines', 'csv'];

/** @throws InferenceError `NotABatch` for another state machine */
export function readBatchSignature(arn: string, { definition = '' }: Described): BatchSignature {
  const { Comment: comment } =
    (definition.length <= MAX_DEFINITION_CHARACTERS ? parsedRecord(definition) : undefined) ?? {};
  const found = typeof comment === 'string' ? parsedRecord(comment)?.[BATCH_SIGNATURE_KEY] : undefined;
  if (!isRecord(found)) throw notABatch(arn, 'a comment without a signature of a batch');
  if (found.version !== CONTRACT_VERSION) {
    throw notABatch(arn, `a signature of version ${fieldValue(found.version)}`);
  }
  if (!isSignature(found)) throw notABatch(arn, 'a malformed signature');
  return found as unknown as BatchSignature;
}

function notABatch(arn: string, got: string): InferenceError {
  return new InferenceError(
    'NotABatch',
    `${arn} must be the state machine of a SlicedInferenceBatch, got ${got}: check the ARN, use infer for a pipeline, or deploy with this version of the package`,
    { got },
  );
}

/** A newer batch may have further fields. */
function isSignature(value: JsonRecord): boolean {
  const { deploymentDigest, bucket, items, resultsPrefix, itemsPerRun, maxConcurrency, inputs, outputs } =
    value;
  const { kind, bucket: bucketOfItems, location } = isRecord(items) ? items : {};
  return (
    typeof deploymentDigest === 'string' &&
    [bucket, bucketOfItems].every((name) => typeof name === 'string' && BUCKET.test(name)) &&
    KINDS.includes(kind) &&
    typeof location === 'string' &&
    typeof resultsPrefix === 'string' &&
    resultsPrefix.endsWith('/') &&
    [itemsPerRun, maxConcurrency].every((count) => Number.isSafeInteger(count) && (count as number) > 0) &&
    [inputs, outputs].every((specs) => Array.isArray(specs) && specs.every(isSpec))
  );
}
