/**
 * A number of executions of one pipeline in one local cloud, all under faults: calls the pipeline as an application does, and judges
 * what its executions return and leave in S3.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import {
  decodeTensors,
  type ObjectReference,
  OUTPUTS_PREFIX,
  type ServedBy,
  SlicedInferenceClient,
  tensorFrom,
} from '../../client';
import { inParallel } from '../../lambda/store/ranged-read';
import { type Faults, type InjectedFault, LocalCloud } from '../../local';
import { differingOutputs, type Tensors } from '../support/run-slices';
import type { Example } from './examples';
import { unexplained } from './explain';

/** Retries of the state machine wait a tenth of what they wait on AWS. Functions wait as long as there. */
const RETRY_PAUSES = 0.1;

/** Objects to read at the same time. */
const READS = 8;

/** How often the client asks about a Standard execution, in milliseconds. */
const POLL_INTERVAL = { first: 50, longest: 250 };

/** In milliseconds. Clients meet no faults, so only what hangs takes longer, also on a busy machine. */
const REQUEST_TIMEOUT = 300_000;

/** Objects of runs. Others are requests, and the claims of loaders, which are replaced. */
const OF_RUNS = /^(runs|outputs)\/.*\.safetensors$/;

/** Stands for the execution of what belongs to none. */
const NOBODY = -1;

/** An execution that has ended, or `NOBODY`. */
export interface Played {
  readonly execution: number;
  readonly faults: readonly InjectedFault[];
  /** The error with which it failed. */
  readonly error?: string;
  /** Only with consolidation. */
  readonly servedBy?: ServedBy | undefined;
  readonly violations: string[];
}

/** @param executions their numbers. The same number meets the same faults. */
export async function playRound(
  example: Example,
  executions: readonly number[],
  faults: Faults,
  atATime: number,
): Promise<Played[]> {
  const struck: InjectedFault[] = [];
  const faultsOf = (execution: number): InjectedFault[] =>
    struck.filter(({ run }) => executionOf(run) === execution);
  const writes = new Map<string, Written>();
  const cloud = await LocalCloud.start(example.assembly, {
    ...{ faults, retryPauses: RETRY_PAUSES, onFault: (fault) => struck.push(fault) },
    onWrite: ({ bucket, object: { key } }) => {
      if (!OF_RUNS.test(key)) return;
      const place = `${bucket}/${key}`;
      writes.set(place, { bucket, key, times: (writes.get(place)?.times ?? 0) + 1 });
    },
  });
  const caller = new Caller(cloud, example);
  try {
    const played: Played[] = [];
    const half = Math.ceil(executions.length / 2);
    // The second half finds the whole model loaded, however slow this machine is.
    for (const part of [executions.slice(0, half), executions.slice(half)]) {
      await inParallel(part, atATime, async (execution) => {
        const ended = await caller.infer(execution, () => faultsOf(execution));
        played.push({ execution, ...ended, faults: faultsOf(execution) });
      });
      await cloud.asynchronousCalls();
    }
    cloud.injectFaults(undefined);
    await cloud.asynchronousCalls();
    // Deliveries of calls whose result nobody needs.
    while (cloud.workers().some(({ busy }) => busy)) await delay(20);
    const nobodys = faultsOf(NOBODY);
    const stray = nobodys.map(({ kind, place }) => `${kind} at ${place} hit no execution`);
    const nobody: Played = { execution: NOBODY, faults: nobodys, violations: stray };
    await inParallel([...writes.values()], READS, async (object) => {
      const owner = played.find(({ execution }) => execution === executionOf(object.key));
      if (owner === undefined) stray.push(`${object.key} is of no execution`);
      else owner.violations.push(...(await caller.violationsOf(object, owner.execution)));
    });
    return [...played, nobody];
  } finally {
    caller.close();
    await cloud.close();
  }
}

/** An object and how often it was written. */
interface Written extends ObjectReference {
  readonly times: number;
}

/** @param run of which the name of the execution is a part, or a key of the run */
function executionOf(run = ''): number {
  const [, number = NOBODY] = /(?:^|\/)execution-(\d+)\//.exec(run) ?? [];
  return Number(number);
}

class Caller {
  private readonly stepFunctions: SFNClient;
  private readonly s3: S3Client;
  private readonly client: SlicedInferenceClient;
  /** The name of the execution that a call starts. */
  private readonly name = new AsyncLocalStorage<string>();

  constructor(
    cloud: LocalCloud,
    private readonly example: Example,
  ) {
    const stepFunctions = (this.stepFunctions = new SFNClient(cloud.stepFunctions));
    const s3 = (this.s3 = new S3Client(cloud.s3));
    const { stateMachineArn } = cloud.pipeline;
    this.client = new SlicedInferenceClient({
      ...{ stateMachineArn, stepFunctions, s3, pollInterval: POLL_INTERVAL, requestTimeout: REQUEST_TIMEOUT },
    });
    // The client invents names, and faults depend on them.
    stepFunctions.middlewareStack.add(
      (next) => (args) =>
        next('name' in args.input ? { ...args, input: { ...args.input, name: this.name.getStore() } } : args),
      { step: 'initialize' },
    );
  }

  close(): void {
    this.stepFunctions.destroy();
    this.s3.destroy();
  }

  async infer(
    execution: number,
    faults: () => InjectedFault[],
  ): Promise<Pick<Played, 'error' | 'servedBy' | 'violations'>> {
    const { requests } = this.example;
    const { inputs, results } = requests[execution % requests.length];
    try {
      const call = (): ReturnType<SlicedInferenceClient['infer']> => this.client.infer(inputs, { results });
      const { outputs, servedBy } = await this.name.run(`execution-${execution}`, call);
      const tensors = Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
        return [name, tensorFrom(dtype as 'float32', shape, data as Float32Array)] as const;
      });
      return { servedBy, violations: this.compared('of the call', execution, new Map(tensors)) };
    } catch (error) {
      return { error: (error as Error).name, violations: unexplained(error, faults()) };
    }
  }

  /** A key of a run is written once: another attempt must not replace what a reader may have read. */
  async violationsOf({ bucket, key, times }: Written, execution: number): Promise<string[]> {
    if (times > 1) return [`${key} was written ${times} times`];
    try {
      // The SDK compares S3's checksums, and `decodeTensors` those of the tensors.
      const command = new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' });
      const { Body } = await this.s3.send(command);
      const tensors = decodeTensors((await Body?.transformToByteArray()) ?? new Uint8Array());
      return key.startsWith(OUTPUTS_PREFIX) ? this.compared('in S3', execution, tensors) : [];
    } catch (error) {
      return [`${key} is damaged: ${String(error)}`];
    }
  }

  private compared(place: string, execution: number, got: Tensors): string[] {
    const { references } = this.example;
    const request = execution % references.length;
    const is = (expected: Tensors): boolean =>
      got.size === expected.size && differingOutputs(got, expected).length === 0;
    if (is(references[request])) return [];
    const other = references.findIndex(is);
    const instead = other < 0 ? 'other bits' : `the bits of request ${other}`;
    return [`the result ${place} of request ${request} has ${instead}`];
  }
}
