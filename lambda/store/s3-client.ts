import { S3Client } from '@aws-sdk/client-s3';
import { readingIntoOneBuffer } from './connections';

/** The SDK says aloud that it does not repeat a request whose body is a stream: `S3ObjectStore` does so itself. */
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // What goes wrong is thrown too.
}

/** For the start of an answer; bodies have a limit of their own in `ranged-read.ts`. */
const CONNECTION_MS = 5_000;
const SOCKET_MS = 20_000;

/** S3 as a function reaches it: credentials, region and endpoint come from the environment. */
export function functionS3Client(): S3Client {
  return new S3Client({
    logger: SILENT,
    // With agents of our own the SDK would not wait for the answer that this asks for.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECTION_MS,
      socketTimeout: SOCKET_MS,
      ...readingIntoOneBuffer(),
    },
  });
}
