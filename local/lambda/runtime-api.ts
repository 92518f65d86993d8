/**
 * The Lambda Runtime API for one worker: the official runtime client polls it for calls and posts its responses. Each
 * worker has its own server, because the client cannot say which worker it is. Other users of this machine and web pages reach
 * the port too, so all paths begin with a secret that only the worker's environment has.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type * as http from 'node:http';
import { type LoopbackServer, readBody, startLoopbackServer } from '../http/loopback-server';

/** The figure in Lambda's own error message, 100 more than for a request. */
const MAX_RESPONSE_BYTES = 6_291_556;

const PREFIX = '/2018-06-01/runtime';

export interface Invocation {
  readonly requestId: string;
  readonly functionArn: string;
  /** JSON. */
  readonly payload: string;
  /** Header of X-Ray. */
  readonly traceHeader?: string | undefined;
  /** Epoch milliseconds. */
  readonly deadline: number;
}

export interface Answer {
  readonly payload: string;
  readonly failed: boolean;
}

interface RuntimeListener {
  /** The runtime is ready for the next call: pass the call to `RuntimeApi.deliver`. */
  onNext(): void;
  onAnswer(requestId: string, answer: Answer): void;
  /** JSON of an error before the first call. */
  onInitError(payload: string): void;
}

export class RuntimeApi {
  private server: LoopbackServer | undefined;
  private readonly secret = randomBytes(32).toString('hex');
  private poll: http.ServerResponse | undefined;

  constructor(private readonly listener: RuntimeListener) {}

  /** If a worker dies while it sends, the 'close' event of its process reports that. */
  async start(): Promise<void> {
    this.server = await startLoopbackServer(
      (...call) => this.handle(...call),
      {},
      (server) => {
        // Never close the connection of a worker that waits for its next call.
        server.keepAliveTimeout = 0;
      },
    );
  }

  private get host(): string {
    return new URL(this.server?.endpoint ?? '').host;
  }

  /** `host:port/secret`, the value of `AWS_LAMBDA_RUNTIME_API`: clients append the paths of the API. */
  get address(): string {
    return `${this.host}/${this.secret}`;
  }

  async close(): Promise<void> {
    await this.server?.close();
  }

  deliver({ requestId, deadline, functionArn, traceHeader, payload }: Invocation): void {
    this.poll?.writeHead(200, {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': requestId,
      'Lambda-Runtime-Deadline-Ms': String(deadline),
      'Lambda-Runtime-Invoked-Function-Arn': functionArn,
      ...(traceHeader !== undefined && { 'Lambda-Runtime-Trace-Id': traceHeader }),
    });
    this.poll?.end(payload);
    this.poll = undefined;
  }

  private async handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = this.pathOf(request);
    if (path === undefined) {
      request.resume();
      response.writeHead(403).end();
      return;
    }
    const call = `${request.method ?? ''} ${path}`;
    if (call === `GET ${PREFIX}/invocation/next`) {
      this.poll = response;
      this.listener.onNext();
      return;
    }
    const body = (await readBody(request, MAX_RESPONSE_BYTES))?.toString();
    if (call === `POST ${PREFIX}/init/error`) {
      this.listener.onInitError(body ?? '');
      accept(response);
      return;
    }
    const match = /^POST \/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(call);
    if (match?.[1] === undefined) {
      response.writeHead(404).end();
      return;
    }
    const answer = body === undefined ? TOO_LARGE : { payload: body, failed: match[2] === 'error' };
    this.listener.onAnswer(decodeURIComponent(match[1]), answer);
    accept(response);
  }

  /** The path behind the secret. `undefined` for a request that is not the worker's, such as that of a web page. */
  private pathOf({ url = '', headers }: http.IncomingMessage): string | undefined {
    const prefix = Buffer.from(`/${this.secret}`);
    const given = Buffer.from(url).subarray(0, prefix.length);
    const known = given.length === prefix.length && timingSafeEqual(given, prefix);
    return known && headers.host === this.host && headers.origin === undefined
      ? url.slice(prefix.length)
      : undefined;
  }
}

function accept(response: http.ServerResponse): void {
  response.writeHead(202, { 'Content-Type': 'application/json' }).end('{"status":"OK"}');
}

const TOO_LARGE = failure(
  'Function.ResponseSizeTooLarge',
  `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
);

export function failure(errorType: string, errorMessage: string): Answer {
  return { payload: JSON.stringify({ errorType, errorMessage }), failed: true };
}
