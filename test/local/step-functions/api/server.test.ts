/** The protocol of Step Functions' API, and the identity of its callers. */
import { once } from 'node:events';
import * as net from 'node:net';
import { SFN } from '@aws-sdk/client-sfn';
import { roleSession } from '../../../../local/iam/principals';
import { send, sendSigned, signedHeaders, type Signing } from '../../../support/signed-request';
import { task } from '../../../support/machine-fixture';
import { serve } from '../../../support/step-functions-fixture';

const LIST = { 'x-amz-target': 'AWSStepFunctions.ListStateMachines' };
const START = { 'x-amz-target': 'AWSStepFunctions.StartExecution' };

/** Sends a request of these headers and this body, and returns its status and the name of its error. */
async function post(
  headers: Record<string, string>,
  body: string,
  signing: Partial<Signing> = {},
): Promise<readonly [number, unknown]> {
  const { access } = await serve(task());
  const request = { method: 'POST', path: '/', headers, body };
  const { credentials } = access;
  const response = await sendSigned(access.endpoint, request, { credentials, service: 'states', ...signing });
  const name = response.headers['x-amzn-errortype'];
  expect(response.headers['content-type']).toBe('application/x-amz-json-1.0');
  expect(JSON.parse(response.body)).toEqual({ __type: name, message: expect.any(String) as string });
  return [response.status, name];
}

test('other operations are refused by name', async () => {
  const { client } = await serve(task());
  await expect(client.createActivity({ name: 'a' })).rejects.toMatchObject({
    name: 'UnknownOperationException',
    message: "the local cloud's Step Functions does not support CreateActivity",
  });
});

test('access keys of others are refused, and those of functions', async () => {
  const { access, callers } = await serve(task());
  const list = async (credentials: Signing['credentials']) => {
    const client = new SFN({ ...access, credentials, maxAttempts: 1 });
    await client.listStateMachines({}).finally(() => {
      client.destroy();
    });
  };
  await expect(list({ accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' })).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
    $metadata: { httpStatusCode: 403 },
  });
  const principal = roleSession('arn:aws:iam::000000000000:role/R', 'F', {
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:F',
  });
  await expect(list(callers.addTemporary({ principal }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message:
      'the local cloud lets no function call Step Functions, got a request of arn:aws:sts::000000000000:assumed-role/R/F',
  });
});

test('a client that leaves in the middle of its request does not end the server', async () => {
  const { access, client } = await serve(task());
  const { hostname, port } = new URL(access.endpoint);
  const socket = net.connect(Number(port), hostname);
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{');
  await client.listStateMachines({});
  socket.resetAndDestroy();
  await once(socket, 'close');
  expect(await client.listStateMachines({})).toHaveProperty('stateMachines');
});

test.each([
  ['without an operation', {}, '{}', 400, 'UnknownOperationException'],
  ['for DynamoDB', { 'x-amz-target': 'DynamoDB.ListTables' }, '{}', 400, 'UnknownOperationException'],
  ['that is not JSON', LIST, '{', 400, 'SerializationException'],
  ['with a parameter of another type', START, '{"stateMachineArn":1}', 400, 'SerializationException'],
  ['above 2 MiB', LIST, ' '.repeat(2_097_153), 413, 'RequestEntityTooLargeException'],
])('a request %s fails with its name in the body and in a header', async (_, headers, body, status, name) => {
  expect(await post(headers, body)).toEqual([status, name]);
});

test('a request must be signed with its body', async () => {
  const { access } = await serve(task());
  const request = { method: 'POST', path: '/', headers: LIST, body: '{}' };
  const { credentials } = access;
  const { host } = new URL(access.endpoint);
  const signed = await signedHeaders({ ...request, host }, { credentials, service: 'states' });
  const name = async (body: string, headers: Record<string, string>) => {
    const response = await send(access.endpoint, { ...request, body }, headers);
    return [response.status, response.headers['x-amzn-errortype']];
  };
  expect(await name('[]', signed)).toEqual([403, 'InvalidSignatureException']);
  expect(await name('{}', LIST)).toEqual([403, 'MissingAuthenticationTokenException']);
});
