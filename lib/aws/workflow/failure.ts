/** The state that fails a run, with the error name of the failed function and a cause that is one JSON object. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** Names of the variables that a caught failure is assigned to. Each branch has its own. */
export interface FailureVariables {
  readonly failure: string;
  /** Holds the fields of `FailureCause` that say where the failure happened. */
  readonly failedAt: string;
}

/** Regular expressions in JSONata, where a backslash before a bracket would confuse its parser: `\x5c` is a backslash. */
const TEXT = '"(?:[^"\\x5c\\x00-\\x1f]|\\x5c(?:["\\x5c\\x2fbfnrt]|u[0-9a-fA-F]{4}))*"';

/** Lambda's JSON of an error has the message in this field, and so has the text around the output of a lost sandbox. */
const ERROR_MESSAGE = `/"errorMessage":\\s*(${TEXT})/`;

const SLICE_CAUSE = `/^\\{"slice":-?(?:0|[1-9][0-9]*)(?:,${TEXT}:${TEXT})+\\}$/`;

/** The JSON of a handler of the user that this package has made: its step, then texts. */
const STEP_CAUSE = `/^\\{"step":"(?:pre|post)process"(?:,${TEXT}:${TEXT})+\\}$/`;

/**
 * A JSONata expression that returns the failed function's message as one JSON object. The cause of a sandbox failure is
 * plain text or JSON without our fields, and a function of the user may throw any text. Parsing text that is not JSON would
 * fail the execution and hide the reason, so the expression parses only text that a regular expression has matched completely.
 */
function cause({ failure, failedAt }: FailureVariables, hasSteps: boolean): string {
  const isOwn = (field: string, pattern: string) =>
    `$exists($${failedAt}.${field}) and $exists($match($message, ${pattern}, 1))`;
  const isSlices = isOwn('slice', SLICE_CAUSE);
  const isWhole = hasSteps ? `(${isSlices}) or (${isOwn('step', STEP_CAUSE)})` : isSlices;
  return `{% (
  $found := $match($${failure}.Cause, ${ERROR_MESSAGE}, 1);
  $message := $exists($found) ? $parse($found.groups[0]) : $${failure}.Cause;
  ${isWhole} ? $message : $string($merge([$${failedAt}, {'message': $exists($message) ? $message : $${failure}.Error}]))
) %}`.replaceAll(/\n\s*/g, ' ');
}

/** @param hasSteps whether functions of the user may have failed too */
export function failState(
  scope: Construct,
  id: string,
  variables: FailureVariables,
  hasSteps = false,
): sfn.Fail {
  return sfn.Fail.jsonata(scope, id, {
    error: `{% $${variables.failure}.Error %}`,
    cause: cause(variables, hasSteps),
  });
}

/** The state that fails a run with the error and the cause of the failed function, unchanged. */
export function passedFailure(scope: Construct, id: string, { failure }: FailureVariables): sfn.Fail {
  return sfn.Fail.jsonata(scope, id, { error: `{% $${failure}.Error %}`, cause: `{% $${failure}.Cause %}` });
}
