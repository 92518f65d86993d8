/** One call of the command: finds or starts the batch of its inputs, follows it to its end, and gives an account. */
import type { S3Client } from '@aws-sdk/client-s3';
import { InferenceError, SlicedInferenceClient } from '../../client';
import { StepFunctions } from '../../client/aws/step-functions';
import { type FollowedBatch, hasTable } from '../../client/batch/batch';
import { describeBatch } from '../../client/batch/begin';
import { countsOf } from '../../client/batch/progress';
import type { BatchOptions as ClientBatchOptions, BatchProgress } from '../../client/batch/types';
import type { BatchSignature } from '../../contract/batch';
import { DEFAULT_REQUEST_TIMEOUT } from '../../client/options';
import { batchBill } from '../../lib/cost/batch-bill';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from '../../lib/cost/constants/defaults';
import type { Architecture } from '../../lib/cost/formulas/lambda';
import { parsedRecord } from '../../lambda/json-values';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { sumOf } from '../../lib/extremes';
import { grouped } from '../plan/figures';
import { printLine } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { stoppedBy, uploadClient } from '../upload/s3-client';
import type { Account } from './account';
import { download } from './download';
import { type FoundExecution, latestExecution, namesStart } from './executions';
import { requestsIn } from './folder-requests';
import { inputsOf, upload, type Inputs } from './inputs';
import { changedSince, readError } from './local-files';

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
  /** The execution, once there is one. */
  batch: FollowedBatch | undefined;

  constructor(
    private readonly stateMachineArn: string,
    private readonly options: BatchOptions,
    private readonly signal: AbortSignal,
  ) {
    const region = stateMachineArn.split(':')[3];
    this.s3 = uploadClient({ region });
    this.client = new SlicedInferenceClient({ stateMachineArn, s3: this.s3 });
    this.stepFunctions = new StepFunctions(undefined, region, DEFAULT_REQUEST_TIMEOUT);
  }

  /** @throws SlicedInferenceError, or the errors of the client, unless the batch itself has failed */
  async run(): Promise<Account> {
    const { options, stateMachineArn, stepFunctions, signal } = this;
    showProgress('reading the description of the batch');
    const signature = await describeBatch(stepFunctions, stateMachineArn, signal);
    const inputs = inputsOf(options.inputs, signature.items);
    const start = namesStart(stateMachineArn, inputs.items);
    const latest = await latestExecution(stepFunctions, stateMachineArn, start);
    if (options.stop && !latest?.isRunning) {
      throw new SlicedInferenceError(
        '--stop must find a batch that runs',
        latest === undefined ? 'none with these inputs' : `the end of ${latest.executionArn}`,
        'pass the --inputs with which it was started',
      );
    }
    const batch = latest?.isRunning
      ? await this.attach(latest, inputs)
      : await this.start(`${start}${(latest?.number ?? 0) + 1}`, inputs, signature);
    if (options.stop) await batch.stop();
    const account = await this.end(batch);
    clearProgress();
    return account;
  }

  async close(): Promise<void> {
    await Promise.all([this.client.close(), this.stepFunctions.close()]);
    this.s3.destroy();
  }

  private async attach(
    { executionArn, startDate }: FoundExecution,
    { local }: Inputs,
  ): Promise<FollowedBatch> {
    const { again, stop } = this.options;
    const batch = await this.begin({ executionArn });
    const { input = '' } = await batch.describe();
    if (again && parsedRecord(input)?.again !== true) {
      const got = `${executionArn}, which runs and skips what has a result`;
      throw new SlicedInferenceError('--again must begin a batch', got, 'wait for it, or use --stop');
    }
    clearProgress();
    printLine(`note: attached to ${executionArn}`);
    const late = local === undefined || stop ? undefined : changedSince(local, startDate);
    if (late !== undefined) {
      const advice = 'when it has ended, run the same command again';
      printLine(`note: ${executionArn} began before ${quoted(late)} changed: ${advice}`);
    }
    return batch;
  }

  private async start(name: string, inputs: Inputs, signature: BatchSignature): Promise<FollowedBatch> {
    const { items, local, arePacked } = inputs;
    const { again } = this.options;
    const onFile = (files: number): void => {
      showProgress(`uploading: ${grouped(files, 0)} files`);
    };
    const own = { name, ...(items !== undefined && { items }), ...(again && { again }) };
    if (local === undefined || items === undefined) return await this.begin(own);
    try {
      if (arePacked) return await this.begin({ ...own, requests: requestsIn(local, signature, onFile) });
      await upload(stoppedBy(this.s3, this.signal), signature.items, { items, local }, onFile);
    } catch (error) {
      throw readError(error, local);
    }
    return await this.begin(own);
  }

  private async begin(options: Omit<ClientBatchOptions, 'signal'>): Promise<FollowedBatch> {
    showProgress('starting the batch');
    this.batch = (await this.client.batch({ ...options, signal: this.signal })) as FollowedBatch;
    return this.batch;
  }

  private async end(batch: FollowedBatch): Promise<Account> {
    const { out, stop, architecture } = this.options;
    const { executionArn, signature } = batch;
    let counts = countsOf(undefined, 0);
    for await (const progress of batch.progress()) {
      counts = progress;
      showProgress(progressText(progress));
    }
    const { total, done, failed, running, pending } = counts;
    const { status = 'unknown', startDate = NaN, stopDate = NaN } = await batch.describe();
    let account: Account = {
      ...{ executionArn, status, seconds: (Number(stopDate) - Number(startDate)) / 1000 },
      items: { total, done, failed, pending: running + pending },
    };
    if (stop) return account;
    try {
      const output = await batch.result();
      const { items, failures, table } = output;
      const children = Math.ceil(items.total / signature.itemsPerRun);
      const { kind, column } = signature.items;
      const requestsInS3 = /^(objects|inventory)$/.test(kind) || column !== undefined;
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

function progressText({ total, done, failed, perSecond, endsAt }: BatchProgress): string {
  if (total === 0) return 'the batch reads its items';
  const share = `${grouped(done, 0)} of ${grouped(total, 0)} items, ${grouped(failed, 0)} failed`;
  const speed = `${perSecond.toLocaleString('en-US', { maximumSignificantDigits: 3 })} a second`;
  const end = endsAt === undefined ? '' : `, ends at about ${endsAt.toLocaleTimeString()}`;
  return `${share}, ${speed}${end}`;
}
