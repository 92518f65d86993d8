/** Turns the error of a call into a line and an exit code. */
import { InferenceError, InferenceTimeoutError } from '../../client';
import { oneLine } from '../../lib/errors';
import { failureLine } from '../outputs/failure-line';
import { BAD_INPUT, FAILED } from '../process/exit-codes';
import { formatDuration } from '../terminal/format';
import { explainAwsError } from './aws-errors';

export interface CallFailure {
  readonly line: string;
  readonly exitCode: number;
}

/** @returns `undefined` for an error that is not about a call */
export function callFailure(error: unknown, stateMachineArn: string): CallFailure | undefined {
  const cause = error instanceof InferenceError ? error.cause : undefined;
  const isOfExecution = error instanceof InferenceError && !(cause instanceof Error);
  // A function of the user may fail with the name of an error of AWS, which then is not about this call.
  const explained = isOfExecution ? undefined : explainAwsError(cause ?? error, stateMachineArn);
  if (explained !== undefined)
    return { line: errorLine(explained.message, arnOf(error)), exitCode: BAD_INPUT };
  if (error instanceof InferenceTimeoutError) {
    return { line: errorLine(readableTimes(error.message), error.executionArn), exitCode: FAILED };
  }
  if (!(error instanceof InferenceError)) return undefined;
  if (error.executionArn === undefined) return { line: errorLine(error.message), exitCode: BAD_INPUT };
  if (error.name === 'InvalidOutput') {
    return { line: errorLine(error.message, error.executionArn), exitCode: FAILED };
  }
  return { line: failureLine(error.name, error, error.executionArn), exitCode: FAILED };
}

function arnOf(error: unknown): string | undefined {
  return error instanceof InferenceError ? error.executionArn : undefined;
}

/** The client counts milliseconds, and users write `10m`. */
function readableTimes(message: string): string {
  return message.replace(/\bwithin (\d+) ms\b/, (_, ms: string) => `within ${formatDuration(Number(ms))}`);
}

/** The words of the command, by those of the client. */
const FLAGS: readonly (readonly [option: string, flag: string])[] = [
  ['use invoke for', 'use --input-json for'],
  ['waitTimeout', '--timeout'],
  ['requestTimeout', '--request-timeout'],
  ['stopOnAbort', '--stop-on-abort'],
  ['maxResultBytes', '--max-result-bytes'],
];

/** In one line, with flags in place of options. */
function errorLine(message: string, executionArn?: string): string {
  const text = FLAGS.reduce((line, [option, flag]) => line.replace(option, flag), message);
  const end = executionArn === undefined || executionArn === '' ? '' : ` (execution ${executionArn})`;
  return `error: ${oneLine(`${text}${end}`)}`;
}
