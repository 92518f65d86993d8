/** A number of executions of one pipeline in one local cloud, all under faults. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { decodeTensors, type ExecutionOutput } from '../../client';
import {
  type ExecutionResult,
  type Faults,
  type InjectedFault,
  type JsonObject,
  LocalCloud,
} from '../../local';
import { readAssembly } from '../../local/cloudformation/assembly';
import { readDirectoryBucketName } from '../../local/cloudformation/resources';
import { Template } from '../../local/cloudformation/template';
import type { Example } from './examples';
import { judgeFailure, judgeResults, results, type Verdict } from './judge';
import { Slots } from './slots';

/** Retries of the state machine wait a tenth of what they wait on AWS. Functions wait as long as there. */
const RETRY_PAUSES = 0.1;

/** Objects to read at the same time. */
const READS = 8;

export interface RoundPlan {
  readonly example: Example;
  /** Fingerprints of the results without faults, by request. */
  readonly references: readonly string[];
  /** Numbers of the executions. The same number meets the same faults. */
  readonly executions: readonly number[];
  /** Shared by all rounds. */
  readonly slots: Slots;
  readonly faults: Faults;
}

/** An execution that has ended. */
export interface Played {
  readonly execution: number;
  readonly verdict: Verdict;
  readonly faults: readonly InjectedFault[];
  /** Of a failed Standard execution that was redriven without faults. */
  readonly redriven?: Verdict;
}

export interface Round {
  readonly played: readonly Played[];
  /** Incomplete objects and unfinished uploads. */
  readonly damage: readonly string[];
  readonly objects: number;
}

/** Runs each request once without faults, and returns the fingerprints of the results. */
export async function referencesOf({ assembly, requests }: Example): Promise<string[]> {
  const cloud = await LocalCloud.start(assembly);
  try {
    const prints: string[] = [];
    for (const { input, object } of requests) {
      if (object) await cloud.putObject(object.key, object.body);
      const result = await cloud.execute(input as unknown as JsonObject);
      if (result.status !== 'SUCCEEDED') throw new Error(`without faults: ${result.error}: ${result.cause}`);
      const found = await resultsOf(cloud, result.output as unknown as ExecutionOutput);
      const [print] = new Set(found.values());
      if (new Set(found.values()).size > 1)
        throw new Error('without faults: the result inline is not the one in S3');
      prints.push(print);
    }
    if (new Set(prints).size < prints.length) throw new Error('two requests have the same result');
    return prints;
  } finally {
    await cloud.close();
  }
}

export async function playRound(plan: RoundPlan): Promise<Round> {
  const faultsOf = new Map<number, InjectedFault[]>();
  const cloud = await LocalCloud.start(plan.example.assembly, {
    faults: plan.faults,
    retryPauses: RETRY_PAUSES,
    onFault: (fault) => {
      const execution = executionOf(fault);
      faultsOf.set(execution, [...(faultsOf.get(execution) ?? []), fault]);
    },
  });
  try {
    for (const { object } of plan.example.requests) {
      if (object) await cloud.putObject(object.key, object.body);
    }
    const ended = await plan.slots.all(plan.executions, async (execution) => {
      const result = await execute(cloud, plan, execution);
      const verdict = await judge(cloud, plan, execution, result, faultsOf.get(execution) ?? []);
      return { execution, verdict, executionArn: result.executionArn };
    });
    cloud.injectFaults(undefined);
    await untilIdle(cloud);
    const redriven = await redriveFailed(cloud, plan, ended);
    const { damage, objects } = await inspectObjects(cloud, plan.example.assembly);
    const stray = (faultsOf.get(NOBODY) ?? []).map(
      ({ kind, place }) => `${kind} at ${place} hit no execution`,
    );
    return {
      played: ended.map(({ execution, verdict }) => ({
        ...{ execution, verdict, faults: faultsOf.get(execution) ?? [] },
        ...(redriven.has(execution) && { redriven: redriven.get(execution) }),
      })),
      damage: [...damage, ...stray],
      objects,
    };
  } finally {
    await cloud.close();
  }
}

function requestOf({ example }: RoundPlan, execution: number): number {
  return execution % example.requests.length;
}

async function execute(cloud: LocalCloud, plan: RoundPlan, execution: number): Promise<ExecutionResult> {
  const { input } = plan.example.requests[requestOf(plan, execution)];
  return cloud.execute(input as unknown as JsonObject, { name: `execution-${execution}` });
}

/** Stands for the execution of a fault that hit none. */
const NOBODY = -1;

/** The name of a run contains that of its execution. */
function executionOf({ run = '' }: InjectedFault): number {
  const number = /(?:^|\/)execution-(\d+)\//.exec(run)?.[1];
  return number === undefined ? NOBODY : Number(number);
}

async function judge(
  cloud: LocalCloud,
  plan: RoundPlan,
  execution: number,
  result: ExecutionResult,
  faults: readonly InjectedFault[],
): Promise<Verdict> {
  if (result.status !== 'SUCCEEDED') return judgeFailure(result, faults);
  const output = result.output as unknown as ExecutionOutput;
  const expectation = { references: plan.references, request: requestOf(plan, execution) };
  return judgeResults(await resultsOf(cloud, output), expectation);
}

function resultsOf(cloud: LocalCloud, output: ExecutionOutput) {
  return results(output, (key) => cloud.getObject(key));
}

/** Waits for the deliveries of calls whose result nobody needs. */
async function untilIdle(cloud: LocalCloud): Promise<void> {
  while (cloud.workers().some(({ busy }) => busy)) await delay(20);
}

/** Redrives what failed in a Standard state machine. Without faults it must succeed. */
async function redriveFailed(
  cloud: LocalCloud,
  plan: RoundPlan,
  ended: readonly { readonly execution: number; readonly verdict: Verdict; readonly executionArn: string }[],
): Promise<ReadonlyMap<number, Verdict>> {
  if (cloud.pipeline.stateMachineType !== 'STANDARD') return new Map();
  const client = new SFNClient(cloud.stepFunctions);
  const failed = ended.filter(({ verdict }) => verdict.outcome === 'failed');
  try {
    const redriven = await plan.slots.all(failed, async ({ execution, executionArn }) => {
      await client.send(new RedriveExecutionCommand({ executionArn }));
      const { status, output = '', error = '', cause = '' } = await endOf(client, executionArn);
      const result = (
        status === 'SUCCEEDED'
          ? { status, executionArn, output: JSON.parse(output) as JsonObject }
          : { status, executionArn, error, cause }
      ) as ExecutionResult;
      return [execution, await judge(cloud, plan, execution, result, [])] as const;
    });
    return new Map(redriven);
  } finally {
    client.destroy();
  }
}

async function endOf(client: SFNClient, executionArn: string) {
  for (;;) {
    const description = await client.send(new DescribeExecutionCommand({ executionArn }));
    if (description.status !== 'RUNNING') return description;
    await delay(20);
  }
}

/** Reads every object of runs and results with the SDK, which checks S3's checksums; `decodeTensors` checks those of tensors. */
async function inspectObjects(
  cloud: LocalCloud,
  assembly: string,
): Promise<{ readonly damage: string[]; readonly objects: number }> {
  const client = new S3Client(cloud.s3);
  const damage: string[] = [];
  let objects = 0;
  try {
    for (const bucket of [cloud.pipeline.bucket, ...directoryBuckets(assembly)]) {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      damage.push(...Uploads.map(({ Key = '' }) => `unfinished upload of ${bucket}/${Key}`));
      const keys = await keysOf(client, bucket);
      objects += keys.length;
      await new Slots(READS).all(keys, async (key) => {
        const problem = await problemOf(client, bucket, key);
        if (problem !== undefined) damage.push(`${bucket}/${key}: ${problem}`);
      });
    }
  } finally {
    client.destroy();
  }
  return { damage, objects };
}

function directoryBuckets(assembly: string): string[] {
  const template = new Template(readAssembly(assembly)[0]);
  return template
    .resourcesOfType('AWS::S3Express::DirectoryBucket')
    .map((bucket) => readDirectoryBucketName(template, bucket));
}

async function keysOf(client: S3Client, bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for (const prefix of ['runs/', 'outputs/']) {
    let token: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      );
      keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }
  return keys;
}

async function problemOf(client: S3Client, bucket: string, key: string): Promise<string | undefined> {
  try {
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }),
    );
    decodeTensors((await Body?.transformToByteArray()) ?? new Uint8Array());
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
