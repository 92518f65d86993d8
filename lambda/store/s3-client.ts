import { CreateSessionCommand, S3Client } from '@aws-sdk/client-s3';
import { NoOpLogger } from '@smithy/core/client';
import { type CallDeadline, CONNECT_MS, RETRY_MS, SILENCE_MS, wholeRequestMs } from './limits';
import { functionAgents, type Agents } from './connections';
import { ExpressSessions } from './express-sessions';
import { S3ObjectStore } from './s3';

/** In milliseconds; see `limits.ts`. */
interface ClientLimits {
  readonly connect: number;
  readonly silence: number;
  readonly answer: number;
  readonly retry: number;
}

const LIMITS: ClientLimits = {
  connect: CONNECT_MS,
  silence: SILENCE_MS,
  answer: wholeRequestMs(0),
  retry: RETRY_MS,
};

export function functionS3Client(agents = functionAgents(), limits = LIMITS): S3Client {
  const sessions = new ExpressSessions((bucket) => client.send(new CreateSessionCommand({ Bucket: bucket })));
  const client: S3Client = new S3Client({
    // The SDK would warn that it does not retry requests with a stream as body. It also throws every failure that it logs.
    logger: new NoOpLogger(),
    // `S3ObjectStore` repeats requests. Two levels of retries would multiply.
    maxAttempts: 1,
    s3ExpressIdentityProvider: sessions,
    // Custom agents make the SDK send the body without waiting for `100 Continue`, so do not ask for it.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: limits.connect,
      socketTimeout: limits.silence,
      requestTimeout: limits.answer,
      throwOnRequestTimeout: true,
      httpAgent: agents.httpAgent,
      httpsAgent: agents.httpsAgent,
    },
  });
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        try {
          return await next(args);
        } catch (error) {
          const { Bucket: bucket = '' } = args.input as { readonly Bucket?: string };
          throw commandName === 'CreateSessionCommand' ? error : sessions.refused(bucket, error);
        }
      },
    { step: 'initialize', name: 'forgetRefusedSessions' },
  );
  return client;
}

interface FunctionObjectsOptions {
  readonly agents?: Agents;
  readonly limits?: ClientLimits;
  readonly deadline?: CallDeadline;
}

export function functionObjects(options: FunctionObjectsOptions = {}): S3ObjectStore {
  const { agents = functionAgents(), limits = LIMITS, deadline } = options;
  return new S3ObjectStore(functionS3Client(agents, limits), agents, {
    retryMs: limits.retry,
    deadline,
  });
}
