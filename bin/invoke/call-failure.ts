/** Turns the error of a call into a line and an exit code. */
import { InferenceError, InferenceTimeoutError } from '../../client';
import { isSdkError } from '../../client/aws/failures';
import { oneLine } from '../../lib/errors';
import { failureLine } from '../outputs/failure-line';
import { BAD_INPUT, FAILED } from '../process/exit-codes';
import { quantityText } from '../plan/figures';

/** @param run which of repeated runs it is, such as `run 7 of 60: ` @returns `undefined` for an error that is not about a call */
export function callFailure(error: unknown, run = '') {
  if (error instanceof InferenceTimeoutError) {
    return { line: errorLine(run, readableTimes(error.message), error.executionArn), exitCode: FAILED };
  }
  if (!(error instanceof InferenceError)) return undefined;
  const { name, message, executionArn, cause } = error;
  // AWS refused a request, whatever has run. A function of the user may fail with the name of an error of AWS.
  if (executionArn === undefined || isSdkError(cause))
    return { line: errorLine(run, message, executionArn), exitCode: BAD_INPUT };
  if (name === 'InvalidOutput') return { line: errorLine(run, message, executionArn), exitCode: FAILED };
  return { line: failureLine(name, error, executionArn, run), exitCode: FAILED };
}

/** The client counts milliseconds, and users write `10m`. */
function readableTimes(message: string): string {
  return message.replace(
    /\bwithin (\d+) ms\b/,
    (_, ms: string) => `within ${quantityText('milliseconds', Number(ms))}`,
  );
}

/** The words of the command, by those of the client. */
const FLAGS: readonly (readonly [option: string, flag: string])[] = [
  ['use invoke for', 'use --input-json for'],
  ['waitTimeout', '--timeout'],
  ['stopOnAbort', '--stop-on-abort'],
  // Options without a flag.
  ['raise maxResultBytes', 'call it in code, with a larger maxResultBytes'],
  ['raise requestTimeout', 'call it in code, with a larger requestTimeout'],
];

/** In one line, with flags in place of options. */
function errorLine(run: string, message: string, executionArn?: string): string {
  const text = FLAGS.reduce((line, [option, flag]) => line.replace(option, flag), message);
  const end = executionArn === undefined || executionArn === '' ? '' : ` (execution ${executionArn})`;
  return `error: ${run}${oneLine(`${text}${end}`)}`;
}
