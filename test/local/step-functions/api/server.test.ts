/** The protocol, the caller's identity, and the operations on state machines. */
import { once } from 'node:events';
import * as net from 'node:net';
import { roleSession } from '../../../../local/iam/principals';
import type { Credentials } from '../../../../local/s3/callers';
import { type Answer, send, sendSigned, signedHeaders, type Signing } from '../../../support/signed-request';
import {
  CreateActivityCommand,
  DescribeStateMachineCommand,
  DescribeStateMachineForExecutionCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { START, task } from '../../../support/machine-fixture';
import { closeServed, serve } from '../../../support/step-functions-fixture';

afterEach(closeServed);

describe('the API', () => {
  test('describes and lists its state machine', async () => {
    const { client, arn, stateMachine } = await serve(task());
    const { $metadata, ...description } = await client.send(
      new DescribeStateMachineCommand({ stateMachineArn: arn }),
    );
    expect($metadata.httpStatusCode).toBe(200);
    expect(description).toEqual({
      stateMachineArn: arn,
      name: 'Machine',
      type: 'STANDARD',
      status: 'ACTIVE',
      roleArn: 'arn:role',
      definition: stateMachine.resource.definition,
      creationDate: new Date(START),
    });
    const { stateMachines } = await client.send(new ListStateMachinesCommand({}));
    expect(stateMachines).toEqual([
      { stateMachineArn: arn, name: 'Machine', type: 'STANDARD', creationDate: new Date(START) },
    ]);
  });

  test('describes the state machine of an execution as it was when the execution started', async () => {
    const { client, arn, stateMachine } = await serve(task());
    const { definition } = stateMachine.resource;
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn: arn }));
    stateMachine.update(
      { ...stateMachine.resource, definition: '{}' },
      { startAt: 'X', states: new Map(), timeoutSeconds: undefined },
    );
    expect(await client.send(new DescribeStateMachineForExecutionCommand({ executionArn }))).toMatchObject({
      definition,
      stateMachineArn: arn,
    });
    expect(await client.send(new DescribeStateMachineCommand({ stateMachineArn: arn }))).toMatchObject({
      definition: '{}',
    });
  });

  test('refuses other operations by name', async () => {
    const { client } = await serve(task());
    await expect(client.send(new CreateActivityCommand({ name: 'a' }))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: "the local cloud's Step Functions does not support CreateActivity",
    });
  });

  test('refuses access keys of others', async () => {
    const { access } = await serve(task());
    const stranger = new SFNClient({
      ...access,
      credentials: { accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' },
      maxAttempts: 1,
    });
    await expect(stranger.send(new ListStateMachinesCommand({}))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
      $metadata: { httpStatusCode: 403 },
    });
    stranger.destroy();
  });
});

test('a function cannot call the API', async () => {
  const { access, callers } = await serve(task());
  const principal = roleSession('arn:aws:iam::000000000000:role/R', 'F', {
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:F',
  });
  const credentials = callers.addTemporary({ principal });
  const client = new SFNClient({ ...access, credentials, maxAttempts: 1 });
  await expect(client.send(new ListStateMachinesCommand({}))).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message:
      'the local cloud lets no function call Step Functions, got a request of arn:aws:sts::000000000000:assumed-role/R/F',
  });
  client.destroy();
});

test('a client that leaves in the middle of its request does not end the server', async () => {
  const { access, client } = await serve(task());
  const { hostname, port } = new URL(access.endpoint);
  const socket = net.connect(Number(port), hostname);
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{');
  await client.send(new ListStateMachinesCommand({}));
  socket.resetAndDestroy();
  await once(socket, 'close');
  expect(await client.send(new ListStateMachinesCommand({}))).toHaveProperty('stateMachines');
});

describe('the signature of a request', () => {
  const list = {
    method: 'POST',
    path: '/',
    headers: { 'x-amz-target': 'AWSStepFunctions.ListStateMachines' },
    body: '{}',
  };

  type Change = Omit<Partial<Signing>, 'credentials'> & { readonly credentials?: Partial<Credentials> };

  test.each<[string, Change, string]>([
    ['for another service', { service: 's3' }, 'InvalidSignatureException'],
    ['for another region', { region: 'eu-west-1' }, 'InvalidSignatureException'],
  ])('%s is refused', async (_, change, name) => {
    const { credentials, ...more } = change;
    const { access } = await serve(task());
    const { status, headers } = await sendSigned(access.endpoint, list, {
      service: 'states',
      ...more,
      credentials: { ...access.credentials, ...credentials },
    });
    expect([status, headers['x-amzn-errortype']]).toEqual([403, name]);
  });

  test('covers the body', async () => {
    const { access } = await serve(task());
    const { host } = new URL(access.endpoint);
    const signed = await signedHeaders(
      { ...list, host },
      { credentials: access.credentials, service: 'states' },
    );
    const { status, headers } = await send(access.endpoint, { ...list, body: '[]' }, signed);
    expect([status, headers['x-amzn-errortype']]).toEqual([403, 'InvalidSignatureException']);
  });
});

describe('a raw request', () => {
  async function post(headers: Record<string, string>, body: string, signed = true): Promise<Answer> {
    const { access } = await serve(task());
    const request = { method: 'POST', path: '/', headers, body };
    if (!signed) return await send(access.endpoint, request, headers);
    return await sendSigned(access.endpoint, request, { credentials: access.credentials, service: 'states' });
  }

  const LIST = { 'x-amz-target': 'AWSStepFunctions.ListStateMachines' };

  test('is answered in AWS JSON 1.0, with the request id in a header and times in seconds', async () => {
    const response = await post(LIST, '');
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toBe('application/x-amz-json-1.0');
    expect(response.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(response.body)).toMatchObject({ stateMachines: [{ creationDate: START / 1000 }] });
  });

  test.each([
    ['without a signature', LIST, '{}', false, 403, 'MissingAuthenticationTokenException'],
    ['without an operation', {}, '{}', true, 400, 'UnknownOperationException'],
    [
      'for another service',
      { 'x-amz-target': 'DynamoDB.ListTables' },
      '{}',
      true,
      400,
      'UnknownOperationException',
    ],
    ['that is not JSON', LIST, '{', true, 400, 'SerializationException'],
    ['that is not an object', LIST, '[]', true, 400, 'SerializationException'],
    ['with a parameter of another type', LIST, '{"maxResults":"1"}', true, 400, 'SerializationException'],
    ['above 2 MiB', LIST, ' '.repeat(2_097_153), true, 413, 'RequestEntityTooLargeException'],
  ])('%s fails with its name in the body and in a header', async (_, headers, body, signed, status, name) => {
    const response = await post(headers, body, signed);
    expect(response.status).toBe(status);
    expect(response.headers['x-amzn-errortype']).toBe(name);
    expect(JSON.parse(response.body)).toEqual({ __type: name, message: expect.any(String) as string });
  });
});
