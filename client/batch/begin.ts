/** Starts a batch, or attaches to one. */
import { randomUUID } from 'node:crypto';
import type { BatchItemsSignature, BatchSignature } from '../../contract/batch';
import { quotedName } from '../../lambda/json-values';
import { explainedError, explaining } from '../aws/failures';
import type { StepFunctions } from '../aws/step-functions';
import { parseStateMachineArn, type StateMachineArn } from '../description/descriptions';
import { InferenceError } from '../errors';
import { repeated } from '../run/call';
import { BatchRun, type BatchContext } from './batch';
import { putRequests } from './requests';
import { readBatchSignature } from './signature';
import type { BatchOptions } from './types';

/** @throws InferenceError `NotABatch` */
export async function describeBatch(
  stepFunctions: StepFunctions,
  arn: string,
  signal?: AbortSignal,
): Promise<BatchSignature> {
  const { describedArn } = parseStateMachineArn(arn);
  return readBatchSignature(arn, await explaining(stepFunctions.describeStateMachine(describedArn, signal)));
}

type Client = Omit<BatchContext, 'signature' | 'executionArn'>;

/** @param own the client's own state machine */
export async function beginBatch(
  client: Client,
  own: { readonly arn: string; readonly region: string | undefined },
  options: BatchOptions,
): Promise<BatchRun> {
  const { stateMachineArn = own.arn, executionArn: known, items, requests } = options;
  if (requests !== undefined && known !== undefined)
    throw new TypeError('option requests must start a batch, got executionArn too: leave one of them out');
  const machine = parseStateMachineArn(stateMachineArn);
  if (own.region !== undefined && machine.region !== own.region) {
    throw new TypeError(
      `option stateMachineArn must be in the region ${own.region} of the client, got ${machine.region}: create a client for it`,
    );
  }
  const prefix = machine.executionArn('');
  if (known?.startsWith(prefix) === false) {
    throw new TypeError(
      `option executionArn must begin with ${prefix}, got ${quotedName(known)}: check both ARNs`,
    );
  }
  const signature = await describeBatch(client.stepFunctions, stateMachineArn, client.signal);
  requireItems(signature.items, items);
  const place =
    requests === undefined ? items : await explaining(putRequests({ ...client, signature }, requests, items));
  const executionArn = known ?? (await start(client, stateMachineArn, machine, { ...options, items: place }));
  return new BatchRun({ ...client, signature, executionArn });
}

async function start(
  client: Client,
  stateMachineArn: string,
  machine: StateMachineArn,
  { again, name, items }: Omit<BatchOptions, 'items'> & { readonly items: string | undefined },
): Promise<string> {
  const request = {
    stateMachineArn,
    name: name ?? randomUUID(),
    input: JSON.stringify({ items, ...(again && { again }) }),
  };
  const expected = machine.executionArn(request.name);
  try {
    const send = () => client.stepFunctions.startExecution(request, client.signal);
    return (await repeated(client, send)).executionArn ?? expected;
  } catch (error) {
    const isThere = error instanceof Error && error.name === 'ExecutionAlreadyExists';
    if (!isThere) throw explainedError(error);
    // The name is new, so an earlier request has started it, and its answer was lost.
    if (name === undefined) return expected;
    throw new InferenceError(
      error.name,
      `the name of a batch must be new, or that of a batch that runs on the same items, got ${quotedName(name)}: choose another, or attach with executionArn`,
      { cause: error },
    );
  }
}

/** The batch may not read others, and reads either one list or all lists below a prefix. */
function requireItems({ kind, folder, bucket, location }: BatchItemsSignature, items?: string): void {
  const isOfPrefix = location.endsWith('/');
  const fits = kind === 'objects' || items?.endsWith('/') === isOfPrefix;
  if (items === undefined || (fits && items.startsWith(folder))) return;
  const form = isOfPrefix ? 'a prefix with a slash at its end, ' : 'the key of one list, ';
  throw new InferenceError(
    'InvalidInput',
    `items must be ${fits ? '' : form}below ${quotedName(folder)} in the bucket ${quotedName(bucket)}, got ${quotedName(items)}: correct it or leave it out`,
  );
}
