/** Reads the cause of a failed execution, which AWS services wrap in text and JSON of their own. */
import type { JsonRecord } from '../lambda/json-values';
import type { FailureCause } from '../contract/failures';
import { parsedRecord } from './json-record';

/**
 * Reads the cause of a failed execution: the JSON of a slice function, with or without the JSON that Lambda puts around it,
 * or the text of the service that failed. Never throws.
 * @param cause `cause` of the execution; a Standard execution that can be redriven has Lambda's JSON
 * @returns at least the message
 */
export function parseFailureCause(cause: string): FailureCause {
  const outer = parsedRecord(cause);
  if (outer === undefined) return { message: cause };
  const { errorMessage } = outer;
  if (typeof errorMessage === 'string') return own(parsedRecord(errorMessage)) ?? { message: errorMessage };
  return own(outer) ?? { message: cause };
}

/** The fields of a `FailureCause`, and no others. */
function own(fields: JsonRecord | undefined): FailureCause | undefined {
  const { slice, step, message, tensor, expected, got, deploymentDigest } = fields ?? {};
  if (typeof message !== 'string') return undefined;
  return {
    ...(typeof slice === 'number' && { slice }),
    ...((step === 'preprocess' || step === 'postprocess') && { step }),
    message,
    ...(typeof tensor === 'string' && { tensor }),
    ...(typeof expected === 'string' && { expected }),
    ...(typeof got === 'string' && { got }),
    ...(typeof deploymentDigest === 'string' && { deploymentDigest }),
  };
}
