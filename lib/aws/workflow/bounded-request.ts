/** The request in the event of a slice function. */
import { MAX_REQUEST_BYTES, MAX_REQUEST_WITH_TENSORS } from '../../../contract/slice-event';

/** By kind of character: the regular expression that matches one UTF-16 unit of it, and as many bytes as UTF-8 needs. */
const WIDTHS = [
  ['[\\ud800-\\udfff]', 'xx'],
  ['[\\u0080-\\u07ff]', 'xx'],
  ['[^\\x00-\\x7f]', 'xxx'],
] as const;

/**
 * Returns an expression for the request, or for an `OversizedRequest` if the event could not hold it. More than 256 KiB would
 * fail the execution with `States.DataLimitExceeded`, which no state can catch and which does not say why. Step Functions counts
 * the bytes of UTF-8, and JSONata counts characters. JSONata also shortens numbers to 15 digits, so a request near the limit
 * whose `data` has many longer numbers still fails with `States.DataLimitExceeded`.
 *
 * @param request a JSONata expression without its `{%` and `%}`
 */
export function boundedRequest(request: string): string {
  const oversized = `$bytes > ${MAX_REQUEST_BYTES} ? {'requestBytes': $bytes}`;
  return `{% ($bytes := ${bytesOf(request)}; ${oversized} : ${request}) %}`;
}

/**
 * Returns an expression for `limit`, or for 0 if the request leaves no room for so many characters of tensors beside it in an event.
 *
 * @param request a JSONata expression without its `{%` and `%}`
 */
export function limitWithRequest(request: string, limit: number): string {
  return `{% ${bytesOf(request)} > ${MAX_REQUEST_WITH_TENSORS} ? 0 : ${limit} %}`;
}

function bytesOf(request: string): string {
  const ascii = WIDTHS.reduce(
    (text, [wide, bytes]) => `$replace(${text}, /${wide}/, '${bytes}')`,
    `$string(${request})`,
  );
  return `$length(${ascii})`;
}
