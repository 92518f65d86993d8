/**
 * A Step Functions endpoint for the unmodified AWS SDK and the AWS CLI: it starts, follows, stops and redrives executions of
 * a deployment's state machines, and refuses all other operations by name. The protocol is AWS JSON 1.0:
 * https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
import { randomUUID } from 'node:crypto';
import type * as http from 'node:http';
import { closeServer, listen, LOOPBACK } from '../../basics/listen';
import type { ServerCertificate } from '../../tls/certificate';
import { serverWith } from '../../tls/server';
import type { JsonObject } from '../../basics/json';
import type { Callers } from '../../s3/callers';
import type { StateMachines } from '../state-machines';
import { authenticate } from './authenticate';
import { redriveExecution, stopExecution } from './control-execution';
import { describeExecution } from './describe-execution';
import {
  describeStateMachine,
  describeStateMachineForExecution,
  listStateMachines,
} from './describe-state-machine';
import { ApiError } from './errors';
import { getExecutionHistory } from './get-execution-history';
import { listExecutions } from './list-executions';
import type { Operation } from './operation';
import { Parameters } from './parameters';
import { startExecution, startSyncExecution } from './start';

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['DescribeExecution', describeExecution],
  ['DescribeStateMachine', describeStateMachine],
  ['DescribeStateMachineForExecution', describeStateMachineForExecution],
  ['GetExecutionHistory', getExecutionHistory],
  ['ListExecutions', listExecutions],
  ['ListStateMachines', listStateMachines],
  ['RedriveExecution', redriveExecution],
  ['StartExecution', startExecution],
  ['StartSyncExecution', startSyncExecution],
  ['StopExecution', stopExecution],
]);

/** The prefix of the header that names the operation. */
const TARGET_PREFIX = 'AWSStepFunctions.';

/** The largest request. An input of 256 KiB takes at most six times that much as JSON within JSON. */
const MAX_BODY_BYTES = 2_097_152;

interface Served {
  readonly machines: StateMachines;
  readonly callers: Callers;
  readonly region: string;
}

export interface StepFunctionsServerOptions {
  /** The region for which requests must be signed. Default: us-east-1. */
  readonly region?: string;
  /** Without a certificate, the server speaks plain HTTP. */
  readonly certificate?: ServerCertificate | undefined;
  /**
   * The port to listen on.
   * @default - a free one
   */
  readonly port?: number | undefined;
}

export class StepFunctionsServer {
  /** Starts a server. Requests must be signed by one of the callers. */
  static async start(
    machines: StateMachines,
    callers: Callers,
    { region = 'us-east-1', certificate, port = 0 }: StepFunctionsServerOptions = {},
  ): Promise<StepFunctionsServer> {
    const server = serverWith(certificate);
    server.on('request', (message, response) => {
      answer({ machines, callers, region }, message, response).catch(() => {
        // Even the error could not be sent. Without this handler the rejection would end the process.
        response.destroy();
      });
    });
    const origin = `${certificate ? 'https' : 'http'}://${LOOPBACK}`;
    return new StepFunctionsServer(server, `${origin}:${await listen(server, port)}`);
  }

  private constructor(
    private readonly server: http.Server,
    readonly endpoint: string,
  ) {}

  close(): Promise<void> {
    return closeServer(this.server);
  }
}

async function answer(
  served: Served,
  message: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  response.setHeader('x-amzn-RequestId', randomUUID());
  try {
    const body = await readBody(message);
    authenticate(message, body, served.callers, served.region);
    send(response, 200, await operate(served.machines, message, body));
  } catch (error) {
    // The client has gone.
    if (response.destroyed || !message.complete) {
      response.destroy();
      return;
    }
    message.resume();
    const { name, message: text, status } = known(error);
    response.setHeader('x-amzn-ErrorType', name);
    send(response, status, { __type: name, message: text });
  }
}

async function operate(
  machines: StateMachines,
  message: http.IncomingMessage,
  body: string,
): Promise<JsonObject> {
  const target = String(message.headers['x-amz-target'] ?? '');
  const name = target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : '';
  const operation = message.method === 'POST' ? OPERATIONS.get(name) : undefined;
  if (operation === undefined) {
    throw new ApiError(
      'UnknownOperationException',
      `the local cloud's Step Functions does not support ${name === '' ? `${message.method} without an operation` : name}`,
    );
  }
  return operation(machines, new Parameters(body));
}

async function readBody(message: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  // Read all of a body that is too large. Otherwise the client sees a broken connection instead of the response.
  for await (const part of message as AsyncIterable<Buffer>) {
    size += part.length;
    if (size <= MAX_BODY_BYTES) parts.push(part);
  }
  if (size > MAX_BODY_BYTES) {
    throw new ApiError('RequestEntityTooLargeException', `a request has at most ${MAX_BODY_BYTES} bytes`);
  }
  return Buffer.concat(parts).toString('utf8');
}

function send(response: http.ServerResponse, status: number, body: JsonObject): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/x-amz-json-1.0',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** The local cloud's own errors, such as that it is closed, are failures of the service. */
function known(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError('InternalFailure', error instanceof Error ? error.message : String(error));
}
