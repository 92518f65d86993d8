/** The function of a batch: finds earlier results, stores answers of a postprocess function, reports failures, and writes the table. */
import type { BatchOutput } from '../contract/batch';
import {
  SETTINGS_VARIABLE,
  type BatchEvent,
  type BatchSettings,
  type FoundItems,
  type ReportedFailures,
  type StartedBatch,
  type StoredAnswers,
} from '../contract/batch-function';
import type { BatchContext } from './batch/context';
import { findResults } from './batch/find';
import { reportFailures } from './batch/report';
import { startBatch } from './batch/start';
import { storeAnswers } from './batch/stored-answers';
import { writeTable } from './batch/table';
import { failureOf, NamedFailure, sliceFailed, UNKNOWN_SLICE } from './errors';
import { functionAgents } from './store/connections';
import { CallDeadline } from './store/limits';
import { functionObjects, functionS3Client } from './store/s3-client';
import { toStandardOutput } from './telemetry/telemetry';

interface CallContext {
  getRemainingTimeInMillis(): number;
  readonly awsRequestId: string;
}

type Answer = StartedBatch | FoundItems | StoredAnswers | ReportedFailures | BatchOutput;

const deadline = new CallDeadline();
let deployed: Omit<BatchContext, 'requestId'> | undefined;

export async function handler(event: BatchEvent, call: CallContext): Promise<Answer> {
  deadline.start(call.getRemainingTimeInMillis());
  deployed ??= readDeployed(process.env);
  const context = { ...deployed, requestId: call.awsRequestId };
  try {
    if ('start' in event) return await startBatch(event.start, context);
    if ('find' in event) return await findResults(event.find, context);
    if ('store' in event) return await storeAnswers(event.store, context);
    if ('report' in event) return await reportFailures(event.report, context);
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
  const agents = functionAgents();
  return {
    settings: JSON.parse(settings) as BatchSettings,
    objects: functionObjects({ agents, deadline }),
    s3: functionS3Client(agents),
    log: toStandardOutput,
  };
}
