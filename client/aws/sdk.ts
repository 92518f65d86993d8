/**
 * Loads the AWS SDK when the first call needs it: that of the application if it has one, otherwise the copy in this package. A program
 * that uses only the codecs loads neither.
 */
import type * as BundledSdk from './bundled-sdk';

export type StepFunctionsSdk = Pick<
  typeof BundledSdk,
  | 'SFNClient'
  | 'DescribeStateMachineCommand'
  | 'DescribeExecutionCommand'
  | 'GetExecutionHistoryCommand'
  | 'StartExecutionCommand'
  | 'StartSyncExecutionCommand'
  | 'StopExecutionCommand'
>;

export type S3Sdk = Pick<typeof BundledSdk, 'S3Client' | 'GetObjectCommand' | 'PutObjectCommand'>;

export async function loadStepFunctionsSdk(): Promise<StepFunctionsSdk> {
  try {
    return await import('@aws-sdk/client-sfn');
  } catch (error) {
    if (!isMissing(error, '@aws-sdk/client-sfn')) throw error;
    return await import('./bundled-sdk.js');
  }
}

export async function loadS3Sdk(): Promise<S3Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (error) {
    if (!isMissing(error, '@aws-sdk/client-s3')) throw error;
    return await import('./bundled-sdk.js');
  }
}

/** Not if the package is there and lacks one of its own packages. */
function isMissing(error: unknown, name: string): boolean {
  const { code } = error as NodeJS.ErrnoException;
  const isNotFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return isNotFound && error instanceof Error && error.message.includes(`'${name}'`);
}
