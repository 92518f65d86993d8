/**
 * The URLs of functions, each a server of its own, because its whole path belongs to the function.
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 */
import { randomUUID } from 'node:crypto';
import type * as http from 'node:http';
import type { FunctionUrl } from '../cloudformation/function-urls';
import {
  isForLoopback,
  type LoopbackOptions,
  type LoopbackServer,
  readBody,
  sendJson,
  startLoopbackServer,
} from '../http/loopback-server';
import { SignatureError } from '../http/signature-v4';
import { ANONYMOUS, type Principal } from '../iam/principals';
import { entriesOf, isJsonObject, type Json, type JsonObject, listOf, parseJson } from '../json';
import { ApiError } from '../step-functions/api/api-error';
import { signingCaller } from '../step-functions/api/authenticate';
import { apiErrorOf, type LambdaApi } from './api';
import { callWithFaults } from './call-faults';
import { MAX_REQUEST_BYTES } from './function-pool';
import { urlEvent } from './url-event';

interface FunctionUrlOptions extends LambdaApi, LoopbackOptions {
  /** Called with what Lambda does not tell the client: why a request was refused. */
  readonly onNotice: (notice: string) => void;
}

/** Headers of the connection, which Lambda itself sets. */
const OF_CONNECTION = ['connection', 'content-length', 'transfer-encoding'];

export class FunctionUrls {
  /** By ARN of the alias. */
  private urls: ReadonlyMap<string, FunctionUrl> = new Map();
  private readonly servers = new Map<string, LoopbackServer>();

  constructor(private readonly options: FunctionUrlOptions) {}

  /** Replaces the URLs. The first one gets the port of the options. */
  async serve(urls: readonly FunctionUrl[]): Promise<void> {
    this.urls = new Map(urls.map((url) => [url.functionArn, url]));
    for (const { functionArn } of urls) {
      if (this.servers.has(functionArn)) continue;
      const { certificate, port } = this.options;
      const server = await startLoopbackServer(
        (message, response) => this.answer(functionArn, message, response),
        { certificate, port: this.servers.size === 0 ? port : undefined },
      );
      this.servers.set(functionArn, server);
    }
  }

  /** By ARN of the alias, each with a slash at its end, as on AWS. */
  endpoints(): Map<string, string> {
    return new Map(
      [...this.servers].flatMap(([arn, { endpoint }]) => (this.urls.has(arn) ? [[arn, `${endpoint}/`]] : [])),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.servers.values()].map((server) => server.close()));
  }

  /** The statuses of errors and their texts are believed. */
  private async answer(
    functionArn: string,
    message: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> {
    try {
      const { status, headers, body } = await this.operate(functionArn, message);
      try {
        response.writeHead(status, { 'content-length': body.length, ...headers });
      } catch {
        // The function's headers have a name or a value that HTTP does not allow.
        throw badGateway();
      }
      response.end(body);
    } catch (error) {
      // The client has gone.
      if (response.destroyed || response.headersSent) throw error;
      message.resume();
      const { status, message: text } = apiErrorOf(error);
      sendJson(response, status, { Message: text });
    }
  }

  private async operate(functionArn: string, message: http.IncomingMessage) {
    const url = this.urls.get(functionArn);
    if (url === undefined || !isForLoopback(message)) throw forbidden();
    const body = await readBody(message, MAX_REQUEST_BYTES);
    if (body === undefined) throw new ApiError('RequestTooLarge', 'Request Entity Too Large', 413);
    const caller = this.authorized(url, message, body);
    const requestId = randomUUID();
    const payload = JSON.stringify(urlEvent(message, body, { requestId, caller }));
    const { functions, injector } = this.options;
    const called = await callWithFaults(injector, { functionArn, payload }, () =>
      functions.call(functionArn, payload),
    );
    if (called === undefined) throw forbidden();
    const answer = called.failed ? undefined : answerOf(called.payload);
    // The function's log has its failure.
    if (answer === undefined) throw badGateway();
    return { ...answer, headers: { ...answer.headers, 'x-amzn-requestid': requestId } };
  }

  /**
   * Since October 2025, a URL needs two permissions.
   * https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
   */
  private authorized(
    { functionArn: resource, authType }: FunctionUrl,
    message: http.IncomingMessage,
    body: Buffer,
  ): Principal | undefined {
    const { callers, authorizer, onNotice } = this.options;
    const refuse = (reason: string): ApiError => {
      onNotice(`the URL of ${resource} refused a request with 403: ${reason}`);
      return forbidden();
    };
    try {
      const { region } = authorizer;
      const signed = { callers, region, service: 'lambda' };
      const principal = authType === 'NONE' ? ANONYMOUS : signingCaller(message, body, signed).principal;
      const context = { 'lambda:functionurlauthtype': authType, 'lambda:invokedviafunctionurl': 'true' };
      const on = { resource, context };
      const needs = (['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'] as const).map((action) => ({
        ...{ action, ...on },
      }));
      // A caller without a principal may make every request.
      const refusal = principal && authorizer.firstRefusal(principal, needs);
      if (refusal !== undefined) throw refuse(refusal);
      return authType === 'NONE' ? undefined : principal;
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
      // Not the message, which has texts of the request: each would be another notice.
      throw refuse(`its signature has ${error.fault.replaceAll('-', ' ')}`);
    }
  }
}

const badGateway = (): ApiError => new ApiError('BadGateway', 'Internal Server Error', 502);
const forbidden = (): ApiError => new ApiError('Forbidden', 'Forbidden', 403);

/** JSON without a `statusCode` is the body itself. `undefined` for an answer that is no HTTP response. */
function answerOf(payload: string) {
  const value = parseJson(payload === '' ? 'null' : payload);
  const isResponse = isJsonObject(value) && value.statusCode !== undefined;
  const {
    statusCode,
    headers = {},
    cookies,
    body = '',
    isBase64Encoded,
  }: JsonObject = isResponse ? value : { statusCode: 200, body: payload };
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  if (!isJsonObject(headers) || typeof body !== 'string') return undefined;
  const own = entriesOf(headers).map(([name, value]) => [name.toLowerCase(), textOf(value)] as const);
  const set = listOf(cookies).map(textOf);
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(own.filter(([name]) => !OF_CONNECTION.includes(name))),
      ...(set.length > 0 && { 'set-cookie': set }),
    },
    body: Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
