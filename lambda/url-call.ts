/**
 * Calls by a function's URL: HTTP requests, whose body is what the event of another call is.
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
import { MAX_CALL_BYTES } from '../contract/direct-call';
import { ERROR_NAMES } from '../contract/failures';
import { invalidInput } from './errors';
import { isRecord, type JsonRecord } from './json-values';

export interface UrlCall extends JsonRecord {
  readonly requestContext: { readonly http: JsonRecord; readonly authorizer?: unknown };
}

export interface UrlAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function isUrlCall(event: unknown): event is UrlCall {
  return isRecord(event) && isRecord(event.requestContext) && isRecord(event.requestContext.http);
}

/** By a URL of the type NONE, which anybody may call. With AWS_IAM, Lambda tells the caller. */
export function isOpenCall(event: unknown): boolean {
  return isUrlCall(event) && !isRecord(event.requestContext.authorizer);
}

/** @throws NamedFailure `InvalidInput` for a body that is no JSON */
export function bodyOf({ body, isBase64Encoded }: UrlCall): unknown {
  const text = typeof body === 'string' ? body : '';
  try {
    return JSON.parse(isBase64Encoded === true ? Buffer.from(text, 'base64').toString('utf8') : text);
  } catch {
    // The parser's message quotes the text, which can be anything.
    throw invalidInput(
      `the body must be JSON, got ${text === '' ? 'nothing' : 'something else'}: POST a request`,
    );
  }
}

/**
 * Lambda would lose an answer that is too large, and tell the caller of an internal error. As a text inside JSON,
 * the body has a backslash more for each of its quotes.
 *
 * @param value the answer of a call: any JSON
 */
export function urlAnswer(value: unknown, statusCode = 200): UrlAnswer {
  const answer = { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
  const bytes = Buffer.byteLength(JSON.stringify(answer));
  if (bytes <= MAX_CALL_BYTES) return answer;
  const message = `the answer must have at most ${MAX_CALL_BYTES} bytes as JSON in JSON, got ${bytes}: ask for less, or for results in S3 with "output": { "inline": "never" }`;
  return urlAnswer({ error: 'AnswerTooLarge', cause: { message } }, 413);
}

/**
 * The status is 400 for a request that does not fit and 500 for all else, unless a function of the user has thrown an error with a
 * `statusCode` and a `body` of its own.
 */
export function urlFailure({ name, message }: Error, cause: unknown): UrlAnswer {
  const { statusCode, body } = isError(cause) ? cause : {};
  if (Number.isInteger(statusCode) && body !== undefined) return urlAnswer(body, statusCode as number);
  return urlAnswer(
    { error: name, cause: JSON.parse(message) as unknown },
    name === ERROR_NAMES.invalidInput ? 400 : 500,
  );
}

function isError(
  error: unknown,
): error is Error & { readonly statusCode?: unknown; readonly body?: unknown } {
  return error instanceof Error;
}
