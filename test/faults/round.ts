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
  type NumericTensor,
  type ObjectReference,
  OUTPUTS_PREFIX,
  type RawTensor,
  type ServedBy,
  SlicedInferenceClient,
} from '../../client';
import { type Faults, type InjectedFault, LocalCloud, type LocalCloudOptions } from '../../local';
import type { Example } from './examples';
import { fingerprint, judgeFailure, judgeResult, type Verdict } from './judge';

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

export interface Round {
  readonly example: Example;
  /** Numbers of the executions. The same number meets the same faults. */
  readonly executions: readonly number[];
}

/** An execution that has ended. */
export interface Played {
  readonly execution: number;
  readonly verdict: Verdict;
  readonly faults: readonly InjectedFault[];
  /** Only with consolidation. */
  readonly servedBy?: ServedBy | undefined;
}

export interface PlayedRound {
  readonly played: readonly Played[];
  /** Violations that belong to no execution. */
  readonly stray: readonly string[];
  /** Of runs and results. */
  readonly objects: number;
}

/** Lets a number of pieces of work run at the same time; the others wait in their order. */
export class Slots {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** Runs the work on all items, and returns the results in the order of the items. */
  all<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
    return Promise.all(
      items.map(async (item) => {
        if (this.free > 0) this.free--;
        else await new Promise<void>((resolve) => this.waiting.push(resolve));
        try {
          return await work(item);
        } finally {
          const next = this.waiting.shift();
          if (next === undefined) this.free++;
          else next();
        }
      }),
    );
  }
}

/** @param slots shared by all rounds */
export async function playRound(
  { example, executions }: Round,
  faults: Faults,
  slots: Slots,
): Promise<PlayedRound> {
  const struck: InjectedFault[] = [];
  const faultsOf = (execution: number): InjectedFault[] =>
    struck.filter(({ run }) => executionOf(run) === execution);
  const writes = new Map<string, Written>();
  const onWrite: LocalCloudOptions['onWrite'] = ({ bucket, object: { key } }) => {
    if (!OF_RUNS.test(key)) return;
    const place = `${bucket}/${key}`;
    writes.set(place, { bucket, key, times: (writes.get(place)?.times ?? 0) + 1 });
  };
  const cloud = await LocalCloud.start(example.assembly, {
    ...{ faults, retryPauses: RETRY_PAUSES, onWrite, onFault: (fault) => struck.push(fault) },
  });
  const caller = new Caller(cloud, example);
  try {
    const ended = await slots.all(executions, (execution) => caller.infer(execution, faultsOf));
    cloud.injectFaults(undefined);
    await cloud.asynchronousCalls();
    // Deliveries of calls whose result nobody needs.
    while (cloud.workers().some(({ busy }) => busy)) await delay(20);
    const objects = await new Slots(READS).all([...writes.values()], (object) => caller.judgeObject(object));
    const violations = objects.filter(({ verdict }) => 'what' in verdict);
    return {
      played: ended.map(({ execution, verdict, servedBy }) => ({
        ...{ execution, servedBy, faults: faultsOf(execution) },
        verdict: 'what' in verdict ? verdict : (verdictOf(execution, violations) ?? verdict),
      })),
      stray: [
        ...faultsOf(NOBODY).map(({ kind, place }) => `${kind} at ${place} hit no execution`),
        ...[...writes.values()]
          .filter(({ key }) => executionOf(key) === NOBODY)
          .map(({ key }) => `${key} is of no execution`),
      ],
      objects: objects.length,
    };
  } finally {
    caller.close();
    await cloud.close();
  }
}

/** What an execution or one of its objects shows. */
interface Judged {
  readonly execution: number;
  readonly verdict: Verdict;
  readonly servedBy?: ServedBy | undefined;
}

/** An object and how often it was written. */
interface Written extends ObjectReference {
  readonly times: number;
}

function verdictOf(execution: number, judged: readonly Judged[]): Verdict | undefined {
  return judged.find((each) => each.execution === execution)?.verdict;
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

  async infer(execution: number, faultsOf: (execution: number) => InjectedFault[]): Promise<Judged> {
    const { requests } = this.example;
    const { inputs, results } = requests[execution % requests.length];
    try {
      const call = (): ReturnType<SlicedInferenceClient['infer']> => this.client.infer(inputs, { results });
      const { outputs, servedBy } = await this.name.run(`execution-${execution}`, call);
      const tensors = Object.entries(outputs);
      const print = fingerprint(
        tensors.map(([name, { dtype, shape, data }]) => [name, dtype, shape, data as Float32Array]),
      );
      return { execution, verdict: this.judge(execution, 'of the call', print), servedBy };
    } catch (error) {
      return { execution, verdict: judgeFailure(error, faultsOf(execution)) };
    }
  }

  /** A key of a run is written once: another attempt must not replace what a reader may have read. */
  async judgeObject({ bucket, key, times }: Written): Promise<Judged> {
    const execution = executionOf(key);
    if (times > 1)
      return { execution, verdict: { outcome: 'overwritten', what: `${key} was written ${times} times` } };
    try {
      const print = await this.stored({ bucket, key });
      const isResult = key.startsWith(OUTPUTS_PREFIX);
      return {
        execution,
        verdict: isResult ? this.judge(execution, 'in S3', print) : { outcome: 'identical' },
      };
    } catch (error) {
      return { execution, verdict: { outcome: 'damaged', what: `${key}: ${String(error)}` } };
    }
  }

  private judge(execution: number, place: string, print: string): Verdict {
    const { references, requests } = this.example;
    return judgeResult(place, print, references, execution % requests.length);
  }

  /** @throws Error if an object lacks the checksums of S3, which the SDK compares, or those of its tensors */
  private async stored({ bucket, key }: ObjectReference): Promise<string> {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' });
    const { Body } = await this.s3.send(command);
    return printOf(decodeTensors((await Body?.transformToByteArray()) ?? new Uint8Array()));
  }
}

function printOf(tensors: Iterable<readonly [string, RawTensor]>): string {
  return fingerprint(
    [...tensors].map(([name, tensor]) => [name, tensor.dtype, tensor.shape, (tensor as NumericTensor).bytes]),
  );
}
