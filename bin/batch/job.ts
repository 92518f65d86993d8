/** One call of the command: finds or starts the batch of its inputs, follows it to its end, and gives an account. */
import type { S3Client } from '@aws-sdk/client-s3';
import { SlicedInferenceClient } from '../../client';
import { explaining } from '../../client/aws/failures';
import { StepFunctions } from '../../client/aws/step-functions';
import type { SlicedInferenceBatchRun } from '../../client/batch/batch';
import { describeBatch } from '../../client/batch/begin';
import { countsOf, type BatchProgress, type ItemCounts } from '../../client/batch/progress';
import { DEFAULT_REQUEST_TIMEOUT } from '../../client/options';
import type { BatchSignature } from '../../contract/batch';
import type { Architecture } from '../../lib/cost/formulas/lambda';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { grouped } from '../plan/figures';
import { formatBytes } from '../terminal/format';
import { printLine } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { uploadClient } from '../upload';
import { accountOf, unfinishedItems, type Account } from './account';
import { download } from './download';
import { latestExecution, namesStart, startNext, type Latest } from './executions';
import { placeOf, type Place } from './place';
import { checkedItems, itemOf, itemsOf, uploadItems } from './upload-items';

export interface BatchOptions {
  readonly inputs?: string;
  readonly name?: string;
  readonly out?: string;
  readonly architecture: Architecture;
  readonly stop?: boolean;
  readonly redrive?: boolean;
  readonly json?: boolean;
}

export class BatchJob {
  private readonly client: SlicedInferenceClient;
  private readonly stepFunctions: StepFunctions;
  private readonly s3: S3Client;
  /** The execution, once there is one. */
  batch: SlicedInferenceBatchRun | undefined;
  private counts: ItemCounts = countsOf(undefined);

  constructor(
    private readonly stateMachineArn: string,
    private readonly options: BatchOptions,
    private readonly signal: AbortSignal,
  ) {
    const region = stateMachineArn.split(':')[3];
    this.client = new SlicedInferenceClient({ stateMachineArn });
    this.stepFunctions = new StepFunctions(undefined, region, DEFAULT_REQUEST_TIMEOUT);
    this.s3 = uploadClient({ region });
  }

  /** @throws SlicedInferenceError, or the errors of the client */
  async run(): Promise<Account> {
    const { options, stateMachineArn: arn, stepFunctions, signal } = this;
    showProgress('reading the description of the batch');
    const signature = await describeBatch(stepFunctions, arn, signal);
    const place = placeOf(options.inputs, options.name, signature);
    const start = namesStart({ arn, items: place.items, name: options.name });
    const latest = await latestExecution(stepFunctions, arn, start);
    this.batch = await (options.stop || options.redrive
      ? this.known(latest)
      : this.current(latest, start, place, signature));
    if (options.stop) await this.batch.stop();
    if (options.redrive && !latest?.isRunning) await this.batch.redrive();
    await this.follow(this.batch);
    if (options.stop) return await this.unfinished();
    return await this.finished(this.batch);
  }

  /** What Step Functions counts, of an execution without an output. */
  async unfinished(error?: Error): Promise<Account> {
    const items = unfinishedItems(this.counts);
    const failure = error && { error: { name: error.name, message: error.message } };
    return { ...(await this.about()), items, ...failure };
  }

  async close(): Promise<void> {
    this.s3.destroy();
    await Promise.all([this.client.close(), this.stepFunctions.close()]);
  }

  private async known(latest: Latest | undefined): Promise<SlicedInferenceBatchRun> {
    const { stop, inputs = 'its own' } = this.options;
    const wanted = stop ? '--stop must find a batch that runs' : '--redrive must find a batch that has ended';
    if (latest === undefined) {
      const advice = 'pass the --inputs and the --name with which it was started';
      throw new SlicedInferenceError(wanted, `none with the inputs ${quoted(inputs)}`, advice);
    }
    if (stop && !latest.isRunning)
      throw new SlicedInferenceError(wanted, `the end of ${latest.executionArn}`, 'leave it out');
    return await this.attach(latest);
  }

  private async current(
    latest: Latest | undefined,
    start: string,
    { items, local }: Place,
    { items: { bucket } }: BatchSignature,
  ): Promise<SlicedInferenceBatchRun> {
    if (latest?.isRunning) {
      clearProgress();
      printLine(`note: the batch of these inputs runs: ${latest.executionArn}`);
      return await this.attach(latest);
    }
    if (local !== undefined && items !== undefined) await this.upload(bucket, items, local);
    showProgress('starting the batch');
    const { signal } = this;
    return await startNext(this.client, start, latest?.number ?? 0, {
      ...(items !== undefined && { items }),
      signal,
    });
  }

  private attach({ executionArn }: Latest): Promise<SlicedInferenceBatchRun> {
    return this.client.batch({ executionArn, signal: this.signal });
  }

  private async upload(
    bucket: string,
    key: string,
    { path: local, kind }: NonNullable<Place['local']>,
  ): Promise<void> {
    const { signal, s3 } = this;
    const isFolder = kind === 'folder';
    const { files, bytes, hidden } = isFolder
      ? checkedItems(local, key)
      : { files: 1, bytes: NaN, hidden: 0 };
    if (hidden > 0) printLine(`note: what begins with a dot is left out: ${hidden} in the folder`);
    const done = { files: 0, bytes: 0 };
    await uploadItems(s3, bucket, isFolder ? itemsOf(local, key) : itemOf(local, key), {
      signal,
      onDone: (item) => {
        done.files++;
        done.bytes += item.bytes;
        const share = `${grouped(done.files, 0)} of ${grouped(files, 0)} files, ${formatBytes(done.bytes)}`;
        showProgress(`uploading: ${share}${Number.isNaN(bytes) ? '' : ` of ${formatBytes(bytes)}`}`);
      },
    });
  }

  private async follow(batch: SlicedInferenceBatchRun): Promise<void> {
    for await (const progress of batch.progress()) {
      this.counts = progress;
      showProgress(progressText(progress));
    }
    clearProgress();
  }

  private async finished(batch: SlicedInferenceBatchRun): Promise<Account> {
    const { options, s3: client, signal } = this;
    const output = await batch.result();
    const { executionCounts } =
      (await explaining(this.stepFunctions.mapRun(batch.executionArn, signal))) ?? {};
    const about = { ...(await this.about()), children: executionCounts?.total ?? 0 };
    const account = accountOf(output, about, options.architecture);
    if (options.out === undefined) return account;
    const { table, items } = output;
    const onDone = ({ files }: { readonly files: number }) => {
      showProgress(`downloading: ${grouped(files, 0)} of ${grouped(items.done + items.skipped, 0)} results`);
    };
    const out = await download(options.out, { client, batch, table }, { signal, onDone });
    clearProgress();
    return { ...account, out: { folder: options.out, ...out } };
  }

  private async about(): Promise<Pick<Account, 'executionArn' | 'status' | 'seconds'>> {
    const executionArn = this.batch?.executionArn ?? '';
    const described = await explaining(
      this.stepFunctions.describeExecution(executionArn, 'METADATA_ONLY', this.signal),
    );
    const { status = 'unknown', startDate, stopDate = new Date() } = described;
    return { executionArn, status, seconds: (stopDate.getTime() - (startDate ?? stopDate).getTime()) / 1000 };
  }
}

function progressText({ total, done, failed, perSecond, endsAt }: BatchProgress): string {
  if (total === 0) return 'the batch reads its items';
  const share = `${grouped(done, 0)} of ${grouped(total, 0)} items, ${grouped(failed, 0)} failed`;
  const speed = `${perSecond.toLocaleString('en-US', { maximumSignificantDigits: 3 })} a second`;
  const end = endsAt === undefined ? '' : `, ends at about ${endsAt.toLocaleTimeString()}`;
  return `${share}, ${speed}${end}`;
}
