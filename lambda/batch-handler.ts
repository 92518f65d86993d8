/** The function of a batch: prepares the items of a child, makes its rows, and writes the table at the end. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { BatchOutput } from '../contract/batch';
import {
  BATCH_ENV,
  type BatchEvent,
  type BatchSettings,
  type ChildOutput,
  type PrepareAnswer,
} from '../contract/batch-function';
import { finish } from './batch/finish';
import { prepare } from './batch/prepare';
import { fileBody, type PutFile, writeTable } from './batch/table';
import { failureOf, NamedFailure, sliceFailed, UNKNOWN_SLICE } from './errors';
import { CallDeadline, wholeRequestMs } from './store/limits';
import type { ObjectStore } from './store/object-store';
import { functionObjects } from './store/s3-client';
import type { Variables } from './slice/environment';

interface CallContext {
  getRemainingTimeInMillis(): number;
  readonly awsRequestId: string;
}

type Answer = PrepareAnswer | ChildOutput | BatchOutput;

export type BatchHandler = (event: BatchEvent, context: CallContext) => Promise<Answer>;

const deadline = new CallDeadline();
let deployed: BatchHandler | undefined;

export const handler: BatchHandler = (event, context) => {
  deadline.start(context.getRemainingTimeInMillis());
  deployed ??= makeBatchHandler(process.env, functionObjects({ deadline }), putFile);
  return deployed(event, context);
};

const putFile: PutFile = async (Bucket, Key, path, bytes) => {
  const client = new S3Client({ maxAttempts: 1, requestHandler: { requestTimeout: wholeRequestMs(bytes) } });
  const Body = fileBody(path);
  await client.send(
    new PutObjectCommand({ Bucket, Key, Body, ContentLength: bytes, ContentType: 'application/jsonl' }),
  );
};

export function makeBatchHandler(
  variables: Variables,
  objects: ObjectStore,
  put: PutFile,
  folder?: string,
): BatchHandler {
  const settings = readSettings(variables);
  const memoryBytes = Number(variables.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '128') * 1024 * 1024;
  return async (event, { awsRequestId: requestId }) => {
    const context = { settings, objects, requestId };
    try {
      if ('prepare' in event) return await prepare(event.prepare, { ...context, memoryBytes });
      if ('finish' in event) return await finish(event.finish, context);
      return await writeTable(event.table, {
        ...context,
        putFile: put,
        ...(folder !== undefined && { folder }),
      });
    } catch (error) {
      // Lambda may freeze requests that are on their way.
      objects.closeIdleConnections();
      throw error instanceof NamedFailure ? failureOf(error, UNKNOWN_SLICE) : error;
    }
  };
}

function readSettings({ [BATCH_ENV.settings]: text }: Variables): BatchSettings {
  if (text === undefined)
    throw sliceFailed(`the environment variable ${BATCH_ENV.settings} is missing: deploy the stack again`);
  return JSON.parse(text) as BatchSettings;
}
