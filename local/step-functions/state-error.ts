/** Errors of states, and the rules by which the error names of a Retry or a Catch match them. */

/** A failure of a state. Any other error is a bug of the local cloud and ends the run with an exception. */
export class StateError extends Error {
  override readonly name = 'StateError';

  /** Only a Fail state without Error and Cause omits them. */
  constructor(
    readonly error: string | undefined,
    override readonly cause: string | undefined,
  ) {
    super(`${error ?? ''}: ${cause ?? ''}`);
  }
}

/** An expression that failed, or a value of the wrong type. The interpreter turns it into a `States.QueryEvaluationError`. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

export const ERROR = {
  all: 'States.ALL',
  dataLimitExceeded: 'States.DataLimitExceeded',
  itemReaderFailed: 'States.ItemReaderFailed',
  noChoiceMatched: 'States.NoChoiceMatched',
  permissions: 'States.Permissions',
  queryEvaluation: 'States.QueryEvaluationError',
  resultWriterFailed: 'States.ResultWriterFailed',
  runtime: 'States.Runtime',
  taskFailed: 'States.TaskFailed',
  timeout: 'States.Timeout',
  tooManyFailures: 'States.ExceedToleratedFailureThreshold',
} as const;

/** Whether no Retry and no Catch applies to an error. */
export function isTerminal(error: string | undefined): boolean {
  return error !== undefined && TERMINAL.includes(error);
}

/** Not even `States.ALL` matches these. https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
const TERMINAL: readonly string[] = [ERROR.dataLimitExceeded, ERROR.runtime];

export function matches(errorEquals: readonly string[], error: string | undefined): boolean {
  if (error === undefined || isTerminal(error)) return false;
  return errorEquals.some(
    (name) => name === error || name === ERROR.all || (name === ERROR.taskFailed && error !== ERROR.timeout),
  );
}
