/** Turns errors of the AWS SDK into the client's own, and adds the execution that they are about. */
import { adviceFor, isSdkError } from './aws/failures';
import { InferenceError, InferenceTimeoutError } from './errors';

/** The error to throw: one of the client's own classes if the error is about AWS, otherwise the error itself. */
export function explainedError(error: unknown, executionArn?: string): unknown {
  if (error instanceof InferenceError || error instanceof InferenceTimeoutError) {
    return executionArn === undefined ? error : error.inExecution(executionArn);
  }
  if (!isSdkError(error)) return error;
  const advice = adviceFor(error);
  const message = advice === undefined ? error.message : `AWS must answer, got ${error.message}: ${advice}`;
  return new InferenceError(nameOf(error), message, { executionArn, cause: error });
}

/** Errors of connections and of endpoints have a code such as `ECONNREFUSED`, and no name of their own. */
function nameOf({ name, code }: Error & { readonly code?: unknown }): string {
  return (name === 'Error' || name === 'TypeError') && typeof code === 'string' ? code : name;
}

/** Waits for a request that belongs to no execution. */
export async function explaining<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw explainedError(error);
  }
}
