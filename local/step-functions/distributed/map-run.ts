/**
 * A Map Run: runs the children of a distributed Map. It holds one byte for each child and reads the items twice, first to count
 * them, so that its memory does not grow with their number. https://docs.aws.amazon.com/step-functions/latest/dg/concepts-map-run.html
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { JsonObject } from '../../json';
import type { Needed } from '../../iam/authorizer';
import type { DistributedMapState } from '../definition';
import type { ExecutionResult } from '../execution';
import { MAX_DISTRIBUTED_CONCURRENCY, MAX_STATE_BYTES } from '../limits';
import { LinkedAbort } from '../../../client/run/wait';
import type { Query } from '../query';
import type { ChildInit, RunOptions } from '../run-options';
import { ERROR, StateError } from '../state-error';
import type { StartedChildren, Visit } from '../visit';
import { type Batch, batches } from './batches';
import { type ItemSource, openItems } from './item-source';
import { MapRunProgress } from './map-run-progress';
import type { MapStorage } from './map-storage';
import { ResultFiles } from './result-files';

type Settings = Awaited<ReturnType<typeof settingsOf>>;

const OUTCOMES = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'timedOut',
  ABORTED: 'aborted',
} as const;

export class MapRun implements StartedChildren {
  static async create(state: DistributedMapState, visit: Visit, options: RunOptions): Promise<MapRun> {
    const { storage } = options.environment;
    // The creator of a state machine with such a state provides the storage.
    if (storage === undefined) throw new Error(`no storage for the distributed Map '${state.name}'`);
    return new MapRun(state, visit, await settingsOf(state, visit), storage, options);
  }

  private readonly progress: MapRunProgress;
  private readonly results: ResultFiles;
  private readonly listFile: string;
  /** By the index of the child: 1 if it has succeeded. */
  private succeeded = new Uint8Array();
  private output: JsonObject | undefined;

  private constructor(
    private readonly state: DistributedMapState,
    private readonly visit: Visit,
    private readonly settings: Settings,
    private readonly storage: MapStorage,
    { context, environment, mapRuns }: RunOptions,
  ) {
    const id = randomUUID();
    const machine = context.StateMachine.Id.replace(':stateMachine:', ':mapRun:');
    const arn = `${machine}/${state.label}:${id}`;
    this.progress = new MapRunProgress(arn, context.Execution.Id, settings, environment.clock.now());
    this.results = new ResultFiles(storage, { ...settings.results, id });
    this.listFile = path.join(storage.folder, `${id}-items`);
    mapRuns.push(this.progress);
  }

  rewind(): void {
    if (this.output === undefined) this.progress.redriveCount++;
  }

  /** Writes the results also if too many items have failed, but not if the execution is stopped. */
  async finish(options: RunOptions): Promise<JsonObject> {
    const { progress, settings, results } = this;
    const { signal, clock } = options.environment;
    if (this.output !== undefined) return this.output;
    progress.reset();
    try {
      this.begin(options);
      const place = { ...this.state.reader, ...settings.items };
      const source = openItems(this.storage, place, this.listFile);
      await this.count(source, signal);
      await this.runChildren(source, options);
      const Key = await results.write(progress.arn);
      progress.written();
      if (progress.isTooManyFailures)
        throw new StateError(ERROR.tooManyFailures, 'The specified tolerated failure threshold was exceeded');
      progress.status = 'SUCCEEDED';
      results.remove('SUCCEEDED');
      options.history.append('MapRunSucceeded');
      this.output = {
        MapRunArn: progress.arn,
        ResultWriterDetails: { Bucket: settings.results.bucket, Key },
      };
      return this.output;
    } catch (error) {
      progress.status = signal.aborted ? 'ABORTED' : 'FAILED';
      if (error instanceof StateError)
        options.history.append('MapRunFailed', () => ({ error: error.error, cause: error.cause }));
      throw error;
    } finally {
      progress.stopTime = clock.now();
      results.remove('FAILED');
      fs.rmSync(this.listFile, { force: true });
    }
  }

  /** That a missing permission is `States.Permissions` is believed. AWS documents which ones a Map Run needs. */
  private begin({ context, environment, history }: RunOptions): void {
    const { progress, state } = this;
    const { redriveCount, arn: mapRunArn } = progress;
    const machineArn = context.StateMachine.Id;
    const needs: Needed[] = [
      { action: 'states:StartExecution', resource: machineArn },
      { action: 'states:DescribeExecution', resource: context.Execution.Id },
      { action: 'states:StopExecution', resource: context.Execution.Id },
    ];
    if (redriveCount === 0) {
      history.append('MapRunStarted', () => ({ mapRunArn }));
    } else {
      const execution = machineArn.replace(':stateMachine:', ':execution:');
      const resource = `${execution}/${state.label}:${context.Execution.Name}`;
      needs.push({ action: 'states:RedriveExecution', resource });
      progress.redriveTime = environment.clock.now();
      history.append('MapRunRedriven', () => ({ mapRunArn, redriveCount }));
    }
    const refusal = this.storage.refusal(needs);
    if (refusal !== undefined) throw new StateError(ERROR.permissions, refusal);
  }

  private async count(source: ItemSource, signal: AbortSignal): Promise<void> {
    let count = 0;
    for await (const { index, items } of this.batches(source)) {
      signal.throwIfAborted();
      this.progress.add(items, this.succeeded[index] === 1 ? 'succeeded' : 'pending');
      count++;
    }
    // A redrive reads a source that has changed as it is: child n is what now comes n-th.
    const known = this.succeeded.subarray(0, count);
    this.succeeded = new Uint8Array(count);
    this.succeeded.set(known);
  }

  private batches(source: ItemSource): AsyncGenerator<Batch> {
    return batches(this.state, this.visit, source, this.settings);
  }

  private async runChildren(source: ItemSource, options: RunOptions): Promise<void> {
    const { progress, succeeded, settings } = this;
    const { signal } = options.environment;
    const stop = new LinkedAbort(signal);
    const queue = this.batches(source);
    let failure: { readonly error: unknown } | undefined;
    let read = 0;
    const lane = async (): Promise<void> => {
      for await (const batch of queue) {
        if (signal.aborted || failure !== undefined) return;
        read++;
        if (succeeded[batch.index] === 1) continue;
        if (!progress.isTooManyFailures) await this.runChild(batch, stop, options);
        if (progress.isTooManyFailures) stop.abort(new Error('too many items have failed'));
      }
    };
    const lanes = Array.from({ length: Math.min(settings.maxConcurrency, succeeded.length) }, () =>
      lane().catch((error: unknown) => {
        failure ??= { error };
        stop.abort(error);
      }),
    );
    await Promise.all(lanes);
    stop.unlink();
    signal.throwIfAborted();
    if (failure !== undefined) throw failure.error;
    if (read !== succeeded.length)
      throw new StateError(ERROR.itemReaderFailed, 'the items changed while they were read');
  }

  private async runChild(batch: Batch, stop: LinkedAbort, options: RunOptions): Promise<void> {
    const { progress, results } = this;
    const { label, processor: graph } = this.state;
    const { signal } = stop;
    const child = options.startChild({ label, graph, input: batch.input, signal });
    progress.move(batch.items, 'pending', 'running');
    let result: ExecutionResult | undefined;
    try {
      result = await child.result;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    // A child that the end of the execution or of the Map Run has stopped may not say so.
    const isStopped = signal.aborted && result?.status !== 'SUCCEEDED';
    const status = isStopped ? 'ABORTED' : (result?.status ?? 'ABORTED');
    progress.move(batch.items, 'running', OUTCOMES[status]);
    if (status === 'SUCCEEDED') this.succeeded[batch.index] = 1;
    const { clock } = options.environment;
    results.add(status === 'SUCCEEDED' ? 'SUCCEEDED' : 'FAILED', {
      ...recordOf(child.init, status),
      ...outcomeOf(result),
      StartDate: new Date(child.startTime).toISOString(),
      StopDate: new Date(clock.now()).toISOString(),
    });
  }
}

async function settingsOf(state: DistributedMapState, visit: Visit) {
  const text = async (query: Query, field: string): Promise<string> => (await visit.text(query, field)) ?? '';
  const number = async (query: Query | undefined, field: string, to = Number.MAX_SAFE_INTEGER, from = 0) =>
    query && (await visit.integer(query, field, { from, to }));
  const { reader, writer, batcher, toleratedFailurePercentage: percentage } = state;
  // 0 means no limit.
  const requested = (await number(state.maxConcurrency, 'MaxConcurrency')) ?? 0;
  return {
    items: {
      bucket: await text(reader.bucket, 'ItemReader/Arguments/Bucket'),
      location: await text(reader.location, `ItemReader/Arguments/${reader.locatedBy}`),
    },
    results: {
      bucket: await text(writer.bucket, 'ResultWriter/Arguments/Bucket'),
      prefix: await text(writer.prefix, 'ResultWriter/Arguments/Prefix'),
    },
    maxItems: (await number(batcher?.maxItems, 'ItemBatcher/MaxItemsPerBatch', undefined, 1)) ?? Infinity,
    maxBytes:
      (await number(batcher?.maxBytes, 'ItemBatcher/MaxInputBytesPerBatch', MAX_STATE_BYTES, 1)) ?? Infinity,
    maxConcurrency: Math.min(requested === 0 ? Infinity : requested, MAX_DISTRIBUTED_CONCURRENCY),
    toleratedFailureCount: await number(state.toleratedFailureCount, 'ToleratedFailureCount'),
    toleratedFailurePercentage: await number(percentage, 'ToleratedFailurePercentage', 100),
  };
}

/** What the result files have of a child. https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html */
function recordOf({ arn, name, inputText, resource }: ChildInit, Status: string): JsonObject {
  return {
    ...{ ExecutionArn: arn, Name: name, StateMachineArn: resource.arn, Status },
    ...{ Input: inputText, InputDetails: { Included: true }, OutputDetails: { Included: true } },
  };
}

function outcomeOf(result: ExecutionResult | undefined): JsonObject {
  if (result === undefined) return {};
  if (result.status === 'SUCCEEDED') return { Output: JSON.stringify(result.output) };
  return { Error: result.error, Cause: result.cause };
}
