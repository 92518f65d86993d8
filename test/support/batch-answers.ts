/** What Step Functions says about a batch: the description of its state machine, and the output of an execution named `night`. */
import type { BatchOutput, BatchSignature } from '../../client';
import { BATCH_SIGNATURE_KEY } from '../../contract/batch';
import { SIGNATURE } from './fake-aws';

const { bucket, deploymentDigest, inputs, outputs } = SIGNATURE;

export const RESULTS = 'outputs/nightly-1a2b/';

export const FAILURE = { error: 'InvalidInput', message: 'convert it' };

export const BATCH_OUTPUT: BatchOutput = {
  ...{ version: 1, deploymentDigest, milliseconds: 1000, runs: 1 },
  table: { bucket, key: `${RESULTS}tables/night.jsonl` },
  items: { total: 3, done: 1, skipped: 1, failed: 1, pending: 0 },
  failures: [{ ...FAILURE, count: 1, item: 'inputs/docs/d' }],
  usage: [{ slice: 0, calls: 1000, mbMs: 1024 * 1e6 }],
};

export function describedBatch(changes: Partial<BatchSignature> = {}) {
  const signature: BatchSignature = {
    ...{ version: 1, bucket, deploymentDigest, inputs, outputs },
    items: { kind: 'objects', bucket, location: 'inputs/docs/', folder: 'inputs/docs/' },
    ...{ itemsPerRun: 8, maxConcurrency: 100, resultsPrefix: RESULTS },
    ...changes,
  };
  const comment = JSON.stringify({ [BATCH_SIGNATURE_KEY]: signature });
  return { type: 'STANDARD', definition: JSON.stringify({ Comment: comment }) };
}
