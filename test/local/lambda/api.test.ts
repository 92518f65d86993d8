/** The local Lambda, as the AWS SDK sees it. */
import {
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  type InvokeCommandInput,
} from '@aws-sdk/client-lambda';
import type { LocalCloud } from '../../../local';
import { apiErrorOf } from '../../../local/lambda/api';
import { StateError } from '../../../local/step-functions/state-error';
import { start } from '../../support/deployed-pipeline';
import { functionAssembly } from '../../support/function-stack';

let cloud: LocalCloud;
let client: LambdaClient;
let arn: string;
beforeAll(async () => {
  cloud = await start(functionAssembly());
  client = new LambdaClient({ ...cloud.lambda, maxAttempts: 1 });
  arn = cloud.pipeline.stateMachineArn;
});
afterAll(() => {
  client.destroy();
});

const DESCRIBE = JSON.stringify({ version: 1, describe: true });

const invoke = (input: Partial<InvokeCommandInput> = {}, own = client) =>
  own.send(new InvokeCommand({ FunctionName: arn, Payload: Buffer.from(DESCRIBE), ...input }));

test('is invoked by ARN, by name and by a part of the ARN, with the version that ran', async () => {
  const [, , , , account, , name] = arn.split(':');
  for (const FunctionName of [arn, `${name}:live`, `${account}:function:${name}:live`]) {
    const { StatusCode, ExecutedVersion, Payload, FunctionError } = await invoke({ FunctionName });
    expect([StatusCode, ExecutedVersion, FunctionError]).toEqual([200, '1', undefined]);
    expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({ signature: cloud.pipeline.signature });
  }
  expect((await invoke({ FunctionName: name, Qualifier: 'live' })).StatusCode).toBe(200);
});

test('a failure of the function is an answer', async () => {
  const { FunctionError, Payload } = await invoke({ Payload: Buffer.from('{}') });
  expect(FunctionError).toBe('Unhandled');
  expect(JSON.parse(Payload?.transformToString() ?? '')).toMatchObject({ errorType: 'InvalidInput' });
});

test.each<[name: string, input: Partial<InvokeCommandInput>, status: number]>([
  ['ResourceNotFoundException', { FunctionName: 'unknown' }, 404],
  ['InvalidRequestContentException', { Payload: Buffer.from('no JSON') }, 400],
  ['RequestTooLargeException', { Payload: Buffer.alloc(6 * 2 ** 20 + 1, ' ') }, 413],
  ['UnknownOperationException', { InvocationType: 'Event' }, 400],
])('refuses with %s', async (name, input, status) => {
  await expect(invoke(input)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
});

test('refuses unknown callers and other operations', async () => {
  const credentials = { accessKeyId: 'UNKNOWN', secretAccessKey: 'secret' };
  const stranger = new LambdaClient({ ...cloud.lambda, credentials, maxAttempts: 1 });
  await expect(invoke({}, stranger)).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  stranger.destroy();
  await expect(client.send(new ListFunctionsCommand({}))).rejects.toThrow(
    'the local cloud does not support lambda:GET',
  );
});

// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
test.each([
  ['TooManyRequestsException', 429],
  ['RequestEntityTooLargeException', 413],
  ['ServiceException', 500],
  ['AWSLambdaException', 503],
])('a call that fails with Lambda.%s in a state machine has the status %i', (name, status) => {
  expect(apiErrorOf(new StateError(`Lambda.${name}`, 'the reason'))).toMatchObject({
    ...{ name, message: `Lambda.${name}: the reason`, status },
  });
});

test("a failure of the local cloud is one of Lambda's service", () => {
  expect(apiErrorOf(new Error('it is closed'))).toMatchObject({ name: 'ServiceException', status: 500 });
});
