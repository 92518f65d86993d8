/** The function of a batch: prepares the items of a child, makes its rows, and writes the table at the end. */
import type { BatchOutput } from '../contract/batch';
import {
  SETTINGS_VARIABLE,
  type BatchEvent,
  type BatchSettings,
  type ChildOutput,
  type PrepareAnswer,
} from '../contract/batch-function';
import type { BatchContext } from './batch/context';
import { finish } from './batch/finish';
import { prepare } from './batch/prepare';
import { writeTable } from './batch/table';
import { failureOf, NamedFailure, sliceFailed, UNKNOWN_SLICE } from './errors';
import { CallDeadline } from './store/limits';
import { functionObjects } from './store/s3-client';

interface CallContext {
  getRemainingTimeInMillis(): number;
  readonly awsRequestId: string;
}

type Answer = PrepareAnswer | ChildOutput | BatchOutput;

const deadline = new CallDeadline();
let deployed: Omit<BatchContext, 'requestId'> | undefined;

export async function handler(event: BatchEvent, call: CallContext): Promise<Answer> {
  deadline.start(call.getRemainingTimeInMillis());
  deployed ??= readDeployed(process.env);
  const context = { ...deployed, requestId: call.awsRequestId };
  try {
    if ('prepare' in event) return await prepare(event.prepare, context);
    if ('finish' in event) return await finish(event.finish, context);
    return await writeTable(event.table, context);
  } catch (error) {
    // Lambda may freeze requests that are on their way.
    deployed.objects.closeIdleConnections();
    throw error instanceof NamedFailure ? failureOf(error, UNKNOWN_SLICE) : error;
  }
}

function readDeployed(variables: NodeJS.ProcessEnv): Omit<BatchContext, 'requestId'> {
  const settings = variables[SETTINGS_VARIABLE];
  if (settings === undefined)
    throw sliceFailed(`the environment variable ${SETTINGS_VARIABLE} is missing: deploy the stack again`);
  return {
    settings: JSON.parse(settings) as BatchSettings,
    objects: functionObjects({ deadline }),
  };
}
