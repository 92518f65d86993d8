/**
 * An HTTP API that starts state machines. Its errors are those of API Gateway: a JSON object with a `message`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
 */
import { randomUUID } from 'node:crypto';
import type * as http from 'node:http';
import {
  isForLoopback,
  type LoopbackOptions,
  type LoopbackServer,
  rawPathOf,
  readBody,
  sendJson,
  startLoopbackServer,
} from '../http/loopback-server';
import { SignatureError } from '../http/signature-v4';
import type { JsonObject } from '../json';
import { LocalCloudError, unsupported } from '../local-cloud-error';
import { ApiError } from '../step-functions/api/api-error';
import { signingCaller } from '../step-functions/api/authenticate';
import { GatewayError, type GatewayOptions, type HttpApi, type Route, STAGE } from './http-api';
import { startExecution } from './start-execution';

type HttpApiServerOptions = GatewayOptions & LoopbackOptions;

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const MAX_PAYLOAD_BYTES = 10_485_760;

const JSON_HEADERS = { 'content-type': 'application/json' };

export class HttpApiServer {
  private api: HttpApi | undefined;
  private server: LoopbackServer | undefined;

  constructor(private readonly options: HttpApiServerOptions) {}

  /** Replaces the API; `undefined` removes it, so that each request is answered with 404. The server starts with the first one. */
  async serve(api: HttpApi | undefined): Promise<void> {
    this.api = api;
    if (api === undefined) return;
    this.server ??= await startLoopbackServer((...request) => this.answer(...request), this.options);
  }

  /** Without a slash at its end. `undefined` without an API. */
  get endpoint(): string | undefined {
    return this.api && this.server?.endpoint;
  }

  async close(): Promise<void> {
    await this.server?.close();
  }

  private async answer(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    response.setHeader('apigw-requestid', randomUUID());
    try {
      if (!isForLoopback(message)) throw forbidden();
      sendJson(response, 200, await this.operate(message), JSON_HEADERS);
    } catch (error) {
      // The client has gone.
      if (response.destroyed || response.headersSent) throw error;
      message.resume();
      // API Gateway returns the service's own answer. That it does so for errors too is believed, not documented.
      if (error instanceof ApiError) {
        sendJson(response, error.status, { __type: error.name, message: error.message }, JSON_HEADERS);
        return;
      }
      const known = error instanceof GatewayError ? error : new GatewayError(500, 'Internal Server Error');
      sendJson(response, known.status, { message: known.message }, JSON_HEADERS);
    }
  }

  private async operate(message: http.IncomingMessage): Promise<JsonObject> {
    const { api } = this;
    if (api === undefined) throw notFound();
    const method = message.method ?? '';
    const path = `/${segmentsOf(message).join('/')}`;
    const ofMethod = (own: string): Route | undefined =>
      api.routes.find(({ key }) => key.method === own && key.path === path);
    const route = ofMethod(method) ?? ofMethod('ANY');
    if (route === undefined) throw withoutRoute(api);
    const body = await readBody(message, MAX_PAYLOAD_BYTES);
    if (body === undefined) throw new GatewayError(413, 'Request Entity Too Large');
    const place = `${api.id}/${STAGE}/${method}${path}`;
    const refusal = route.authorization === 'AWS_IAM' ? this.refusal(message, body, place) : undefined;
    if (refusal !== undefined) {
      // The answer does not say why, as on AWS.
      this.options.onNotice(`the HTTP API refused a request with 403: ${refusal}`);
      throw forbidden();
    }
    if (route.integration instanceof LocalCloudError) throw new GatewayError(501, route.integration.message);
    const source = `${api.id}/${STAGE}/${route.key.text.replace(' /', '/')}`;
    return await startExecution(route.integration, body, source, this.options);
  }

  /** @param place the resource of the call, as its ARN has it */
  private refusal(message: http.IncomingMessage, body: Buffer, place: string): string | undefined {
    const { callers, authorizer } = this.options;
    const { region, account } = authorizer;
    try {
      const { principal } = signingCaller(message, body, { callers, region, service: 'execute-api' });
      const resource = `arn:aws:execute-api:${region}:${account}:${place}`;
      // A caller without a principal may make every request.
      return principal && authorizer.refusal(principal, { action: 'execute-api:Invoke', resource });
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
      // Not the message, which has texts of the request: each would be another notice.
      return `its signature has ${error.fault.replaceAll('-', ' ')}`;
    }
  }
}

/** One of the routes that are not served may be meant. */
function withoutRoute({ refusedKeys }: HttpApi): GatewayError {
  if (refusedKeys.length === 0) return notFound();
  const keys = refusedKeys.map((key) => `'${key}'`).join(', ');
  return new GatewayError(501, unsupported(`the route keys ${keys}`).message);
}

const forbidden = (): GatewayError => new GatewayError(403, 'Forbidden');
const notFound = (): GatewayError => new GatewayError(404, 'Not Found');

/** The first segment is the empty one before the first slash. */
function segmentsOf(message: http.IncomingMessage): string[] {
  try {
    return rawPathOf(message.url ?? '/')
      .split('/')
      .slice(1)
      .map((segment) => decodeURIComponent(segment));
  } catch {
    // decodeURIComponent fails only for malformed escapes and invalid UTF-8.
    throw new GatewayError(400, 'Bad Request');
  }
}
