/**
 * Loads the AWS SDK when it is first needed. The function of the whole model must answer at once that it is cold, and needs S3
 * only afterwards.
 */
import type * as s3 from './s3-client';

export function s3Module(): typeof s3 {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- `import()` would end the init phase before the SDK is loaded
  return require('./s3-client') as typeof s3;
}
