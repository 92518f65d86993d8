/** How a run fails: under the name of what went wrong, with a cause that is one JSON object. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** The variables that a caught failure leaves, named for the branch that it happens in. */
export interface FailureVariables {
  /** What the state machine says of it: `Error` and `Cause`. */
  readonly failure: string;
  /** Where it happened: the fields of `FailureCause` that say so. */
  readonly failedAt: string;
}

/**
 * What the failed function said, as one JSON object. Causes of sandboxes are plain text or JSON without our fields; a
 * parse of something else would itself fail the execution and hide the reason.
 */
function cause({ failure, failedAt }: FailureVariables): string {
  return `{% (
  $isObject := function($text) { $type($text) = 'string' and $substring($text, 0, 2) = '{"' and $substring($text, -1) = '}' };
  $message := $isObject($${failure}.Cause) ? $parse($${failure}.Cause).errorMessage : $${failure}.Cause;
  $isObject($message) ? $message : $string($merge([$${failedAt}, {'message': $exists($message) ? $message : $${failure}.Error}]))
) %}`.replaceAll(/\n\s*/g, ' ');
}

export function failState(scope: Construct, id: string, variables: FailureVariables): sfn.Fail {
  return sfn.Fail.jsonata(scope, id, { error: `{% $${variables.failure}.Error %}`, cause: cause(variables) });
}
