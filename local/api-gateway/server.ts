/**
 * An HTTP API that starts state machines. Its errors are those of API Gateway: a JSON object with a `message`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
 */
import { randomUUID } from 'node:crypto';
import type * as http from 'node:http';
import {
  isForLoopback,
  type LoopbackOptions,
  LoopbackServer,
  readBody,
  sendJson,
} from '../http/loopback-server';
import type { JsonObject } from '../json';
import { LocalCloudError } from '../local-cloud-error';
import { queryOf, rawPathOf } from '../http/uri';
import { ApiError } from '../step-functions/api/api-error';
import { authorize } from './authorize';
import { corsHeaders, preflightHeaders } from './cors';
import { GatewayError } from './gateway-error';
import type { GatewayOptions, HttpApi } from './http-api';
import { MAX_PAYLOAD_BYTES } from './limits';
import type { MappedRequest } from './parameter-mapping';
import { matchRoute } from './routes';
import { startExecution } from './start-execution';

type HttpApiServerOptions = GatewayOptions & LoopbackOptions;

const JSON_HEADERS = { 'content-type': 'application/json' };

export class HttpApiServer {
  private api: HttpApi | undefined;
  private server: LoopbackServer | undefined;

  constructor(private readonly options: HttpApiServerOptions) {}

  /** Replaces the API; `undefined` removes it, so that each request is answered with 404. The server starts with the first one. */
  async serve(api: HttpApi | undefined): Promise<void> {
    this.api = api;
    if (api === undefined) return;
    this.server ??= await LoopbackServer.start((...request) => this.answer(...request), this.options);
  }

  /** Without a slash at its end. With the stage in its path if no stage is the default. `undefined` without an API. */
  get endpoint(): string | undefined {
    if (this.api === undefined) return undefined;
    const { stages } = this.api;
    const stage = stages.at(0);
    const origin = this.server?.endpoint ?? '';
    return stages.includes('$default') || stage === undefined ? origin : `${origin}/${stage}`;
  }

  async close(): Promise<void> {
    await this.server?.close();
  }

  private async answer(message: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    response.setHeader('apigw-requestid', randomUUID());
    try {
      const { api } = this;
      if (!isForLoopback(message)) throw new GatewayError(403);
      if (api === undefined) throw new GatewayError(404);
      const preflight = api.cors && preflightHeaders(message, api.cors);
      if (preflight !== undefined) {
        message.resume();
        response.writeHead(204, preflight).end();
        return;
      }
      const { status, body } = await this.operate(api, message);
      sendJson(response, status, body, { ...JSON_HEADERS, ...corsHeaders(message, api.cors) });
    } catch (error) {
      // The client has gone.
      if (response.destroyed || response.headersSent) {
        response.destroy();
        return;
      }
      message.resume();
      const known = error instanceof GatewayError ? error : new GatewayError(500);
      sendJson(response, known.status, { message: known.message }, { ...JSON_HEADERS, ...known.headers });
    }
  }

  private async operate(
    api: HttpApi,
    message: http.IncomingMessage,
  ): Promise<{ readonly status: number; readonly body: JsonObject }> {
    const { stage, path } = stageOf(api, segmentsOf(message));
    const method = message.method ?? '';
    const match = matchRoute(api.routes, method, path);
    if (match === undefined) throw new GatewayError(404);
    const { route, variables } = match;
    const body = await readBody(message, MAX_PAYLOAD_BYTES);
    if (body === undefined) throw new GatewayError(413);
    const place = `${stage}/${method}/${path.join('/')}`;
    const request: MappedRequest = {
      headers: joined(message.headers),
      query: queryOf(message.url ?? '/'),
      variables,
      body,
      claims: {},
    };
    const claims = authorize(api.id, route.authorization, { message, request, place }, this.options);
    const { integration } = route;
    if (integration instanceof LocalCloudError) throw new GatewayError(501, {}, integration.message);
    try {
      const source = `${api.id}/${stage}/${route.key.text.replace(' /', '/')}`;
      return {
        status: 200,
        body: await startExecution(integration, { ...request, claims }, source, this.options),
      };
    } catch (error) {
      // API Gateway returns the service's own answer. That it does so for errors too is believed, not documented.
      if (!(error instanceof ApiError)) throw error;
      return { status: error.status, body: { __type: error.name, message: error.message } };
    }
  }
}

/** The first segment is the empty one before the first slash. */
function segmentsOf(message: http.IncomingMessage): string[] {
  try {
    return rawPathOf(message.url ?? '/')
      .split('/')
      .slice(1)
      .map((segment) => decodeURIComponent(segment));
  } catch {
    // decodeURIComponent fails only for malformed escapes and invalid UTF-8.
    throw new GatewayError(400);
  }
}

function stageOf(
  { stages }: HttpApi,
  segments: readonly string[],
): { readonly stage: string; readonly path: readonly string[] } {
  const [first = ''] = segments;
  if (first !== '$default' && stages.includes(first)) return { stage: first, path: segments.slice(1) };
  if (!stages.includes('$default')) throw new GatewayError(404);
  return { stage: '$default', path: segments };
}

function joined(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',') : value]],
    ),
  );
}
