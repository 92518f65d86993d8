/** Starts a batch, or attaches to one. */
import { randomUUID } from 'node:crypto';
import type { BatchInput, BatchItemsSignature, BatchSignature } from '../../contract/batch';
import { quotedName } from '../../lambda/json-values';
import { explainedError, explaining, isThrottled } from '../aws/failures';
import type { StepFunctions } from '../aws/step-functions';
import { parseStateMachineArn, type StateMachineArn } from '../description/descriptions';
import { InferenceError } from '../errors';
import { checkMilliseconds } from '../options';
import { mayPass, repeated } from '../run/call';
import { SlicedInferenceBatchRun, type BatchContext } from './batch';
import { readBatchSignature } from './signature';

/** Options of `batch`. */
export interface BatchOptions {
  /**
   * ARN of the batch's state machine, in the region of the client's: `batch.stateMachine.stateMachineArn`.
   * @default - that of the client
   */
  readonly stateMachineArn?: string;
  /**
   * The prefix or the key of the items, below the location of the batch's.
   * @default - the location of the batch's items
   */
  readonly items?: string;
  /**
   * Name of the execution. If one of this name and these items runs, the call attaches to it.
   * @default - a new one
   */
  readonly name?: string;
  /**
   * ARN of an execution to attach to, instead of starting one.
   * @default - a new execution
   */
  readonly executionArn?: string;
  /**
   * Ends waiting and reading with its reason. The batch goes on.
   * @default - none
   */
  readonly signal?: AbortSignal;
  /**
   * Longest pause between two requests for the state, in milliseconds.
   * @default - as the client's `pollInterval`
   */
  readonly pollIntervalMs?: number;
}

/** @throws InferenceError `NotABatch` */
export async function describeBatch(
  stepFunctions: StepFunctions,
  arn: string,
  signal?: AbortSignal,
): Promise<BatchSignature> {
  const { describedArn } = parseStateMachineArn(arn);
  return readBatchSignature(arn, await explaining(stepFunctions.describeStateMachine(describedArn, signal)));
}

type Client = Omit<BatchContext, 'signature' | 'executionArn' | 'setFailure'>;

/** @param own the client's own state machine */
export async function beginBatch(
  client: Client,
  own: { readonly arn: string; readonly region: string },
  options: BatchOptions,
): Promise<SlicedInferenceBatchRun> {
  const { stateMachineArn = own.arn, executionArn: known, pollIntervalMs } = options;
  checkMilliseconds('pollIntervalMs', pollIntervalMs);
  const machine = parseStateMachineArn(stateMachineArn);
  requireRegion(machine, own.region);
  requireOptions(machine, options);
  const { settings } = client.context;
  const { pollInterval } = settings;
  const { first, longest } = { first: pollInterval.first, longest: pollIntervalMs ?? pollInterval.longest };
  const signature = await describeBatch(client.stepFunctions, stateMachineArn, client.signal);
  const input = inputOf(signature, options);
  const context = { settings: { ...settings, pollInterval: { first: Math.min(first, longest), longest } } };
  const about = { ...client, context, signature, setFailure: () => undefined };
  const executionArn = known ?? (await start(about, stateMachineArn, machine, options.name, input));
  return new SlicedInferenceBatchRun({ ...about, executionArn });
}

async function start(
  about: Omit<BatchContext, 'executionArn'>,
  stateMachineArn: string,
  machine: StateMachineArn,
  chosen: string | undefined,
  input: BatchInput,
): Promise<string> {
  const name = chosen ?? randomUUID();
  const { stepFunctions, signal } = about;
  let mayHaveStarted = chosen === undefined;
  const executionArn = machine.executionArn(name);
  try {
    return await repeated(about, async () => {
      try {
        const request = { stateMachineArn, name, input: JSON.stringify(input) };
        return (await stepFunctions.startExecution(request, signal)).executionArn ?? executionArn;
      } catch (error) {
        const isThere = error instanceof Error && error.name === 'ExecutionAlreadyExists';
        // An earlier request has started it, and its answer was lost.
        if (isThere && mayHaveStarted) return executionArn;
        mayHaveStarted ||= mayPass(error) && !isThrottled(error);
        throw error;
      }
    });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExecutionAlreadyExists') throw explainedError(error);
    throw new InferenceError(
      error.name,
      `the name of a batch must be new, or that of a batch that runs on the same items, got ${quotedName(name)}: choose another, or attach with executionArn`,
      { cause: error },
    );
  }
}

function requireRegion({ region }: StateMachineArn, expected: string): void {
  if (region === expected) return;
  throw new TypeError(
    `option stateMachineArn must be in the region ${expected} of the client, got ${region}: create a client for it`,
  );
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html; ARNs and shells take these as they are. */
const NAME = /^[\w-]{1,80}$/;

function requireOptions(machine: StateMachineArn, { name, executionArn, items }: BatchOptions): void {
  if (name !== undefined && !NAME.test(name)) {
    throw new TypeError(
      `option name must be 1 to 80 letters, digits, - and _, got ${quotedName(name)}: choose another`,
    );
  }
  if (executionArn === undefined) return;
  const start = machine.executionArn('');
  if (!executionArn.startsWith(start) || executionArn.length === start.length) {
    throw new TypeError(
      `option executionArn must begin with ${start}, got ${quotedName(executionArn)}: check both ARNs`,
    );
  }
  if (name === undefined && items === undefined) return;
  throw new TypeError('option executionArn must be without name and items, got both: leave one of them out');
}

/** Executions may name places below it: the prefix of objects, the folder of a list, and the folder of an inventory's configuration. */
export function itemsFolder({ kind, location }: BatchItemsSignature): string {
  if (kind === 'objects') return location;
  const names = location.split('/').slice(0, kind === 'inventory' ? -2 : -1);
  return names.map((name) => `${name}/`).join('');
}

/** @throws InferenceError `InvalidInput` for items elsewhere, which the batch may not read */
function inputOf({ items: known }: BatchSignature, { items }: BatchOptions): BatchInput {
  if (items === undefined) return {};
  const folder = itemsFolder(known);
  if (items.startsWith(folder)) return { items };
  throw new InferenceError(
    'InvalidInput',
    `items must be below ${quotedName(folder)} in the bucket ${quotedName(known.bucket)}, got ${quotedName(items)}: correct it or leave it out`,
  );
}
