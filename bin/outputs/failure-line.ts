/** The line that a command prints about an execution that failed. */
import type { FailureCause } from '../../contract/failures';
import { oneLine } from '../../lib/errors';
import { quotedName } from '../../lambda/json-values';

/**
 * `error: the execution failed: SliceFailed: slice 0: message (tensor 'x', execution arn:…)`, in one line.
 * @param error name of the error
 * @param run which of repeated runs it is, such as `run 7 of 60: `
 */
export function failureLine(error: string, cause: FailureCause, executionArn?: string, run = ''): string {
  const { slice, step, message, tensor } = cause;
  const place = slice === undefined ? step : `slice ${slice}`;
  const details = [
    ...(tensor !== undefined && !message.includes(tensor) ? [`tensor ${quotedName(tensor)}`] : []),
    ...(executionArn === undefined ? [] : [`execution ${executionArn}`]),
  ];
  const text = [error, ...(place === undefined ? [] : [place]), message].join(': ');
  const end = details.length === 0 ? '' : ` (${details.join(', ')})`;
  return `error: ${run}the execution failed: ${oneLine(`${text}${end}`)}`;
}
