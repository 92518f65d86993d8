/** One call of the command: finds or starts the batch of its inputs, follows it to its end, and gives an account. */
import type { S3Client } from '@aws-sdk/client-s3';
import { InferenceError, SlicedInferenceClient } from '../../client';
import { explaining } from '../../client/aws/failures';
import { Objects, s3Connection } from '../../client/aws/objects';
import { StepFunctions } from '../../client/aws/step-functions';
import { type FollowedBatch, hasTable } from '../../client/batch/batch';
import { describeBatch } from '../../client/batch/begin';
import { countsOf, type ItemCounts } from '../../client/batch/progress';
import { putRequests } from '../../client/batch/requests';
import type { BatchProgress } from '../../client/batch/types';
import type { BatchSignature } from '../../contract/batch';
import { DEFAULT_REQUEST_TIMEOUT } from '../../client/options';
import { batchBill } from '../../lib/cost/batch-bill';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from '../../lib/cost/constants/defaults';
import type { Architecture } from '../../lib/cost/formulas/lambda';
import { SlicedInferenceError } from '../../lib/errors';
import { sumOf } from '../../lib/extremes';
import { grouped } from '../plan/figures';
import { printLine } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { uploadClient } from '../upload';
import { stoppedBy } from '../upload/s3-client';
import type { Account } from './account';
import { download } from './download';
import { latestExecution, namesStart } from './executions';
import { requestsIn } from './folder-requests';
import { inputsOf, upload, type Inputs } from './inputs';

export interface BatchOptions {
  readonly inputs?: string;
  readonly out?: string;
  readonly architecture: Architecture;
  readonly stop?: boolean;
  readonly again?: boolean;
  readonly json?: boolean;
}

export class BatchJob {
  private readonly client: SlicedInferenceClient;
  private readonly stepFunctions: StepFunctions;
  private readonly s3: S3Client;
  private readonly region: string;
  /** The execution, once there is one. */
  batch: FollowedBatch | undefined;

  constructor(
    private readonly stateMachineArn: string,
    private readonly options: BatchOptions,
    private readonly signal: AbortSignal,
  ) {
    const region = stateMachineArn.split(':')[3];
    this.region = region;
    this.client = new SlicedInferenceClient({ stateMachineArn });
    this.stepFunctions = new StepFunctions(undefined, region, DEFAULT_REQUEST_TIMEOUT);
    this.s3 = uploadClient({ region });
  }

  /** @throws SlicedInferenceError, or the errors of the client, unless the batch itself has failed */
  async run(): Promise<Account> {
    const { options, stateMachineArn, stepFunctions, signal } = this;
    showProgress('reading the description of the batch');
    const signature = await describeBatch(stepFunctions, stateMachineArn, signal);
    const inputs = inputsOf(options.inputs, signature.items);
    const start = namesStart(stateMachineArn, inputs.items);
    const latest = await latestExecution(stepFunctions, stateMachineArn, start);
    const followed = latest?.isRunning === true ? latest : undefined;
    if (options.stop && followed === undefined) {
      throw new SlicedInferenceError(
        '--stop must find a batch that runs',
        latest === undefined ? 'none with these inputs' : `the end of ${latest.executionArn}`,
        'pass the --inputs with which it was started',
      );
    }
    if (!followed) await this.putInputs(inputs, signature);
    const { items } = inputs;
    const { again } = options;
    const own = {
      ...(items !== undefined && { items }),
      ...(again && { again }),
      name: `${start}${(latest?.number ?? 0) + 1}`,
    };
    const begun = followed ? { executionArn: followed.executionArn } : own;
    const batch = (await this.client.batch({ ...begun, signal })) as FollowedBatch;
    this.batch = batch;
    if (options.stop) await batch.stop();
    if (followed) {
      clearProgress();
      printLine(`note: attached to ${followed.executionArn}`);
    }
    const account = await this.end(batch);
    clearProgress();
    return account;
  }

  async close(): Promise<void> {
    this.s3.destroy();
    await Promise.all([this.client.close(), this.stepFunctions.close()]);
  }

  private async putInputs({ items, local, arePacked }: Inputs, signature: BatchSignature): Promise<void> {
    const { s3, signal } = this;
    const onFile = (files: number): void => {
      showProgress(`uploading: ${grouped(files, 0)} files`);
    };
    if (local !== undefined && items !== undefined) {
      if (arePacked) {
        const objects = new Objects(s3Connection(s3, this.region), DEFAULT_REQUEST_TIMEOUT, 0);
        await explaining(
          putRequests({ objects, signature, signal }, items, requestsIn(local, signature, onFile)),
        );
      } else await upload(stoppedBy(s3, signal), signature.items, { items, local }, onFile);
    }
    showProgress('starting the batch');
  }

  private async end(batch: FollowedBatch): Promise<Account> {
    const { out, stop, architecture } = this.options;
    const { executionArn, signature } = batch;
    let counts = countsOf(undefined, 0);
    for await (const progress of batch.progress()) {
      counts = progress;
      showProgress(progressText(progress));
    }
    const { status = 'unknown', startDate = NaN, stopDate = NaN } = await batch.describe();
    let account: Account = {
      ...{ executionArn, status, seconds: (Number(stopDate) - Number(startDate)) / 1000 },
      items: unfinished(counts),
    };
    if (stop) return account;
    try {
      const output = await batch.result();
      const { items, failures, table } = output;
      const children = Math.ceil(items.total / signature.itemsPerRun);
      const requestsInS3 = !/^(jsonLines|jsonArray|parquet)/.test(signature.items.kind);
      const constants = { prices: DEFAULT_PRICES, environment: DEFAULT_ENVIRONMENT };
      const dollars = sumOf(
        Object.values(batchBill(output, { children, architecture, requestsInS3, ...constants })),
      );
      account = { ...account, items, failures, dollars, table: `s3://${table.bucket}/${table.key}` };
    } catch (error) {
      if (!(error instanceof InferenceError) || error.cause instanceof Error) throw error;
      const { name, message } = error;
      account = { ...account, error: { name, message } };
      if (!hasTable(error, { status })) return account;
    }
    if (out === undefined) return account;
    const onFile = (files: number): void => {
      showProgress(`downloading: ${grouped(files, 0)} results`);
    };
    try {
      return { ...account, out: await download(out, batch, onFile) };
    } catch (error) {
      // The batch has failed without a table.
      if (error instanceof InferenceError && error.name === account.error?.name) return account;
      throw error;
    }
  }
}

function unfinished({ total, done, failed, running, pending }: ItemCounts): Account['items'] {
  return { total, done, failed, pending: running + pending };
}

function progressText({ total, done, failed, perSecond, endsAt }: BatchProgress): string {
  if (total === 0) return 'the batch reads its items';
  const share = `${grouped(done, 0)} of ${grouped(total, 0)} items, ${grouped(failed, 0)} failed`;
  const speed = `${perSecond.toLocaleString('en-US', { maximumSignificantDigits: 3 })} a second`;
  const end = endsAt === undefined ? '' : `, ends at about ${endsAt.toLocaleTimeString()}`;
  return `${share}, ${speed}${end}`;
}
