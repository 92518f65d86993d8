import { S3Client } from '@aws-sdk/client-s3';

/** The SDK says aloud that it does not repeat a request whose body is a stream: `S3ObjectStore` does so itself. */
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // What goes wrong is thrown too.
}

/** S3 as a function reaches it: credentials, region and endpoint come from the environment. */
export function functionS3Client(): S3Client {
  return new S3Client({ logger: SILENT });
}
