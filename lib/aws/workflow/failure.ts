/** The state that fails a run, with the error name of the failed function and a cause that is one JSON object. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** Names of the variables that a caught failure is assigned to. Each branch has its own. */
export interface FailureVariables {
  /** Holds the error output of the state: `Error` and `Cause`. */
  readonly failure: string;
  /** Holds the fields of `FailureCause` that say where the failure happened. */
  readonly failedAt: string;
}

/**
 * A JSONata expression that returns the failed function's message as one JSON object. The cause of a sandbox failure is
 * plain text or JSON without our fields. Parsing text that is not JSON would fail the execution and hide the reason, so
 * the expression parses only text that looks like an object.
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
