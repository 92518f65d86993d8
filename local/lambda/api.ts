/**
 * A Lambda endpoint for the unmodified AWS SDK and the AWS CLI: it invokes the functions that callers may invoke, and refuses all other
 * operations. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
import { randomUUID } from 'node:crypto';
import type * as http from 'node:http';
import { splitFunctionArn } from '../cloudformation/resources';
import type { FaultInjector } from '../faults/injector';
import {
  type LoopbackOptions,
  type LoopbackServer,
  queryOf,
  rawPathOf,
  readBody,
  startLoopbackServer,
} from '../http/loopback-server';
import { SignatureError } from '../http/signature-v4';
import type { Action } from '../iam/actions';
import type { Authorizer } from '../iam/authorizer';
import { parseJson } from '../json';
import type { Callers } from '../s3/callers';
import { ApiError } from '../step-functions/api/api-error';
import { signingCaller } from '../step-functions/api/authenticate';
import { StateError } from '../step-functions/state-error';
import { callWithFaults } from './call-faults';
import { MAX_REQUEST_BYTES } from './function-pool';
import type { LocalFunctions } from './local-functions';

export interface LambdaApi {
  readonly functions: LocalFunctions;
  readonly callers: Callers;
  readonly authorizer: Authorizer;
  readonly injector: FaultInjector;
}

const INVOCATIONS = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

export function startLambdaServer(api: LambdaApi, options: LoopbackOptions): Promise<LoopbackServer> {
  return startLoopbackServer((message, response) => answer(api, message, response), options);
}

async function answer(
  api: LambdaApi,
  message: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  try {
    const body = await readBody(message, MAX_REQUEST_BYTES);
    const { requestId, payload, failed, executedVersion } = await operate(api, message, body);
    const headers = { 'X-Amz-Executed-Version': executedVersion, 'x-amzn-RequestId': requestId };
    send(response, 200, payload, { ...headers, ...(failed && { 'X-Amz-Function-Error': 'Unhandled' }) });
  } catch (error) {
    // The client has gone.
    if (response.destroyed || !message.complete) throw error;
    const { name, message: text, status } = apiErrorOf(error);
    const headers = { 'x-amzn-ErrorType': name, 'x-amzn-RequestId': randomUUID() };
    const type = status < 500 ? 'User' : 'Service';
    send(response, status, JSON.stringify({ Type: type, message: text }), headers);
  }
}

function send(
  response: http.ServerResponse,
  status: number,
  text: string,
  headers: http.OutgoingHttpHeaders,
): void {
  const own = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
  response.writeHead(status, { ...own, ...headers }).end(text);
}

async function operate(api: LambdaApi, message: http.IncomingMessage, body: Buffer | undefined) {
  const url = message.url ?? '';
  const name = message.method === 'POST' ? INVOCATIONS.exec(rawPathOf(url))?.[1] : undefined;
  if (name === undefined) {
    const operation = `${message.method} ${rawPathOf(url)}`;
    throw new ApiError('UnknownOperationException', `the local cloud does not support lambda:${operation}`);
  }
  if (body === undefined) {
    const text = `Request must be smaller than ${MAX_REQUEST_BYTES} bytes for the InvokeFunction operation`;
    throw new ApiError('RequestTooLargeException', text, 413);
  }
  const functionArn = arnOf(api.authorizer, decodeURIComponent(name), queryOf(url).get('Qualifier'));
  authorize(api, message, body, { action: 'lambda:InvokeFunction', functionArn });
  const payload = body.length === 0 ? '{}' : body.toString('utf8');
  if (parseJson(payload) === undefined)
    throw new ApiError('InvalidRequestContentException', 'Could not parse request body into json');
  const type = message.headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (type !== 'RequestResponse')
    throw new ApiError(
      'UnknownOperationException',
      `the local cloud does not support calls of type ${String(type)}`,
    );
  const { functions, injector } = api;
  const called = await callWithFaults(injector, { functionArn, payload }, () =>
    functions.call(functionArn, payload),
  );
  if (called !== undefined) return called;
  const advice = 'call the alias live of an InferenceFunction';
  throw new ApiError('ResourceNotFoundException', `Function not found: ${functionArn}: ${advice}`, 404);
}

/** @param name a name, an ARN, or `account:function:name`, each also with a qualifier */
function arnOf({ region, account }: Authorizer, name: string, qualifier: string | null): string {
  const [own, of = qualifier] = name.replace(/^.*function:/, '').split(':');
  const arn = `arn:aws:lambda:${region}:${account}:function:${own}`;
  return of === null ? arn : `${arn}:${of}`;
}

/** @throws ApiError if the caller is unknown or may not do it */
function authorize(
  { callers, authorizer }: LambdaApi,
  message: http.IncomingMessage,
  body: Buffer,
  { action, functionArn }: { readonly action: Action; readonly functionArn: string },
): void {
  try {
    const { region } = authorizer;
    const { principal } = signingCaller(message, body, { callers, region, service: 'lambda' });
    const policyOf = splitFunctionArn(functionArn).functionArn;
    const refusal = principal && authorizer.refusal(principal, { action, resource: functionArn, policyOf });
    if (refusal !== undefined) throw new ApiError('AccessDeniedException', refusal, 403);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new ApiError('InvalidSignatureException', error.message, 403);
  }
}

/** Faults have the names that they have in Step Functions. */
const STATUS: ReadonlyMap<string, number> = new Map([
  ['RequestEntityTooLargeException', 413],
  ['TooManyRequestsException', 429],
  ['ServiceException', 500],
  ['AWSLambdaException', 503],
]);

/** The local cloud's own errors, such as that it is closed, are failures of the service. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const name = error instanceof StateError ? (error.error ?? '').replace('Lambda.', '') : 'ServiceException';
  return new ApiError(name, reason, STATUS.get(name) ?? 500);
}
