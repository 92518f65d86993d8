/** Says where results are that could not be written: the execution has been paid for, and need not run again. */
import type { InferenceResult } from '../../client';
import { printLine } from '../terminal/print';

type Result = Pick<InferenceResult, 'executionArn' | 'resultsObject'>;

/** @throws the error of the write, after a note */
export async function keepingResult(result: Result, write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    printLine(`note: ${whereabouts(result)}`);
    throw error;
  }
}

function whereabouts({ executionArn, resultsObject: object }: Result): string {
  const succeeded = `the execution succeeded: ${executionArn}`;
  return object === undefined
    ? succeeded
    : `${succeeded}; its results are in s3://${object.bucket}/${object.key}`;
}
