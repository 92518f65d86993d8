/** What a state machine says about its batch. Anyone can write the comment that has it, so everything is checked. */
import { BATCH_SIGNATURE_KEY, type BatchSignature } from '../../contract/batch';
import { CONTRACT_VERSION } from '../../contract/version';
import { fieldValue } from '../../lambda/json-values';
import { type Check, isText, listOf, recordOf, textLike } from '../checked-fields';
import { isBucket, isSpec, readMachine, type Described } from '../description/pipeline-description';
import { InferenceError } from '../errors';

const KINDS: readonly unknown[] = [
  ...['objects', 'inventory', 'jsonLines', 'jsonArray', 'csv', 'parquet'],
  ...['jsonLinesFiles', 'csvFiles', 'parquetFiles'],
];

/** @throws InferenceError `NotABatch` for another state machine */
export function readBatchSignature(arn: string, described: Described): BatchSignature {
  const { signature: found } = readMachine(arn, described, BATCH_SIGNATURE_KEY);
  if (found === undefined) throw notABatch(arn, 'a comment without a signature of a batch');
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

const isPositive: Check = (count) => Number.isSafeInteger(count) && Number(count) > 0;

const isSignature = recordOf({
  deploymentDigest: isText,
  bucket: isBucket,
  items: recordOf({ kind: (kind) => KINDS.includes(kind), bucket: isText, location: isText, folder: isText }),
  resultsPrefix: textLike(/\/$/),
  ...{ itemsPerRun: isPositive, maxConcurrency: isPositive },
  ...{ inputs: listOf(isSpec), outputs: listOf(isSpec) },
});
