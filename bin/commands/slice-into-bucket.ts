/** Cuts a model, uploads its slices under their digests, then uploads `plan.json`. */
import type { AnalyzeOptions } from '../../lib/compile/analyze';
import { PLAN_FILE, planText } from '../../lib/emit/write';
import { SlicedInferenceError } from '../../lib/errors';
import { type PlannedFile, remoteKey } from '../../lib/plan/file/plan';
import type { Slicer } from '../../lib/plan/slicers';
import { type StagedModel, stageModel } from '../../lib/compile/stage';
import { writeNamedFile } from '../outputs/named-file';
import { formatBytes } from '../terminal/format';
import { showProgress } from '../terminal/progress';
import { type UploadTask, parseS3Uri, uploadAll, uploadClient, uploadText } from '../upload';

interface BucketOptions {
  /** `s3://BUCKET/PREFIX`. */
  readonly out: string;
  /** Local file to write the plan to as well. */
  readonly plan?: string;
  /** Id, alias or ARN of a KMS key. */
  readonly kmsKey?: string;
}

const INTERRUPTED = new SlicedInferenceError(
  'the upload must go on until all files are there',
  'a signal to stop',
  'run the command again to send the missing files',
);

/** @throws SlicedInferenceError when the model, the slicing, the bucket or a file is unusable */
export async function sliceIntoBucket(
  modelPath: string,
  slicer: Slicer,
  analyze: AnalyzeOptions,
  { out, plan: planPath, kmsKey }: BucketOptions,
): Promise<Pick<StagedModel, 'plan' | 'estimates'>> {
  const { bucket, prefix } = parseS3Uri(out);
  const { plan, slices, estimates } = stageModel(modelPath, slicer, analyze);
  const task = (file: string, planned: PlannedFile): UploadTask => {
    return { ...planned, file, key: remoteKey(prefix, planned) };
  };
  const tasks = slices.flatMap(({ model, weights }, slice) => {
    const planned = plan.slices[slice];
    return [
      task(model, planned.model),
      ...(weights !== undefined && planned.weights ? [task(weights, planned.weights)] : []),
    ];
  });
  const encryption = kmsKey === undefined ? {} : { kmsKeyId: kmsKey };
  const client = uploadClient();
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort(INTERRUPTED);
  };
  process.once('SIGTERM', interrupt);
  try {
    await uploadAll(client, bucket, tasks, {
      ...encryption,
      signal: interruption.signal,
      onProgress: ({ doneBytes, totalBytes }) => {
        showProgress(`uploading to ${out}: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
      },
    });
    // Upload the plan last: if the bucket holds a plan, it holds all slices of the plan.
    const key = prefix === '' ? PLAN_FILE : `${prefix}/${PLAN_FILE}`;
    await uploadText(client, bucket, key, planText(plan), encryption);
  } finally {
    process.off('SIGTERM', interrupt);
    client.destroy();
  }
  if (planPath !== undefined) await writeNamedFile(planPath, '--plan', planText(plan));
  return { plan, estimates };
}
