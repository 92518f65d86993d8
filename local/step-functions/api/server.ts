/**
 * A Step Functions endpoint for the unmodified AWS SDK and the AWS CLI: it starts, follows, stops and redrives executions of
 * a deployment's state machines, and refuses all other operations by name. The protocol is AWS JSON 1.0:
 * https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
import { randomUUID } from 'node:crypto';
import type * as http from 'node:http';
import {
  type LoopbackOptions,
  type LoopbackServer,
  readBody,
  sendJson,
  startLoopbackServer,
} from '../../http/loopback-server';
import type { JsonObject } from '../../json';
import type { Callers } from '../../s3/callers';
import type { StateMachines } from '../state-machines';
import { authenticate } from './authenticate';
import { ApiError } from './api-error';
import * as executions from './executions';
import { Parameters } from './parameters';
import { startExecution, startSyncExecution } from './start';

type Operation = (parameters: Parameters) => JsonObject | Promise<JsonObject>;

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>(
  Object.entries({
    DescribeExecution: executions.describeExecution,
    DescribeMapRun: executions.describeMapRun,
    DescribeStateMachine: executions.describeStateMachine,
    GetExecutionHistory: executions.getExecutionHistory,
    ListExecutions: executions.listExecutions,
    ListMapRuns: executions.listMapRuns,
    ListStateMachines: executions.listStateMachines,
    RedriveExecution: executions.redriveExecution,
    StartExecution: startExecution,
    StartSyncExecution: startSyncExecution,
    StopExecution: executions.stopExecution,
  }),
);

/** The prefix of the header that names the operation. */
const TARGET_PREFIX = 'AWSStepFunctions.';

/** The largest request. An input of 256 KiB takes at most six times that much as JSON within JSON. */
const MAX_BODY_BYTES = 2_097_152;

const JSON_1_0 = { 'Content-Type': 'application/x-amz-json-1.0' };

/** Starts a server. Requests must be signed by one of the callers, for the region. */
export function startStepFunctionsServer(
  machines: StateMachines,
  callers: Callers,
  { region = 'us-east-1', ...options }: LoopbackOptions & { readonly region?: string } = {},
): Promise<LoopbackServer> {
  return startLoopbackServer(
    (message, response) => answer({ machines, callers, region }, message, response),
    options,
  );
}

async function answer(
  served: { readonly machines: StateMachines; readonly callers: Callers; readonly region: string },
  message: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  response.setHeader('x-amzn-RequestId', randomUUID());
  try {
    const body = (await readBody(message, MAX_BODY_BYTES))?.toString('utf8');
    if (body === undefined) {
      throw new ApiError(
        'RequestEntityTooLargeException',
        `a request has at most ${MAX_BODY_BYTES} bytes`,
        413,
      );
    }
    authenticate(message, body, served.callers, served.region);
    sendJson(response, 200, await operate(served.machines, message, body), JSON_1_0);
  } catch (error) {
    // The client has gone.
    if (response.destroyed || !message.complete) throw error;
    message.resume();
    // The local cloud's own errors, such as that it is closed, are failures of the service.
    const reason = error instanceof Error ? error.message : String(error);
    const known = error instanceof ApiError ? error : new ApiError('InternalFailure', reason, 500);
    const { name, message: text, status } = known;
    response.setHeader('x-amzn-ErrorType', name);
    sendJson(response, status, { __type: name, message: text }, JSON_1_0);
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
  return operation(new Parameters(machines, body));
}
