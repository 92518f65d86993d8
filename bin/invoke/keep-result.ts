/** Says where results are that could not be written: the execution has been paid for, and need not run again. */
import type { InferenceResult } from '../../client';

type Result = Pick<InferenceResult, 'executionArn' | 'resultsObject'>;

/** @throws the error of the write, after a note */
export async function keepingResult(result: Result, write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    process.stderr.write(`note: ${whereabouts(result)}\n`);
    throw error;
  }
}

function whereabouts({ executionArn, resultsObject: object }: Result): string {
  const succeeded = `the execution succeeded: ${executionArn}`;
  return object === undefined
    ? succeeded
    : `${succeeded}; its results are in s3://${object.bucket}/${object.key}`;
}
