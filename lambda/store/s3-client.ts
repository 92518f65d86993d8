import { S3Client } from '@aws-sdk/client-s3';
import { readingIntoOneBuffer } from './connections';

/** No logging: the SDK would warn that it does not retry requests with a stream as body. `S3ObjectStore` does that. */
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // The SDK also throws every failure that it logs.
}

/** Timeouts until a response starts. `ranged-read.ts` has a timeout for bodies. */
const CONNECTION_MS = 5_000;
const SOCKET_MS = 20_000;

/** A client that takes credentials, region and endpoint from the environment. */
export function functionS3Client(agents = readingIntoOneBuffer()): S3Client {
  return new S3Client({
    logger: SILENT,
    // Custom agents make the SDK send the body without waiting for `100 Continue`, so do not ask for it.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECTION_MS,
      socketTimeout: SOCKET_MS,
      ...agents,
    },
  });
}
