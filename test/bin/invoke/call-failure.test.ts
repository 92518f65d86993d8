import { callFailure } from '../../../bin/invoke/call-failure';
import { InferenceError, InferenceTimeoutError } from '../../../client';
import { serviceError } from '../../support/fake-aws';

const MACHINE = 'arn:aws:states:eu-west-1:123456789012:stateMachine:machine';
const EXECUTION = 'arn:aws:states:eu-west-1:123456789012:execution:machine:1';

const NOT_AUTHORIZED = 'User: u is not authorized to perform: states:StartExecution on resource: x';
const ENOTFOUND = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
const NO_CREDENTIALS = Object.assign(new Error('Could not\nload'), { name: 'CredentialsProviderError' });

describe('a failed call', () => {
  it.each<[Error, RegExp]>([
    [serviceError('AccessDeniedException', 400, NOT_AUTHORIZED), /: states:StartExecution must be allowed/],
    [serviceError('ExpiredTokenException'), /: AWS credentials must be valid, got Expired.*: sign in again$/],
    [serviceError('StateMachineDoesNotExist'), /must exist in account 123456789012 and region eu-west-1,/],
    [serviceError('ThrottlingException'), /: AWS must have capacity for .*: try again later$/],
    [serviceError('ServiceUnavailable', 503), /: AWS must have capacity for .*: try again later$/],
    [
      ENOTFOUND,
      /: Step Functions and S3 must be reachable in region eu-west-1, got ENOTFOUND .*: check the reg/,
    ],
    [NO_CREDENTIALS, /must be found, got CredentialsProviderError \(Could not load\): set AWS_/],
    [serviceError('KmsAccessDeniedException'), /: AWS must accept the request for .*got KmsAccess/],
  ])('is explained in one line if AWS refuses the request: %s', (error, line) => {
    const alone = callFailure(error, MACHINE);
    expect(alone).toEqual({ line: expect.stringMatching(line) as string, exitCode: 2 });
    const details = { cause: error, executionArn: EXECUTION };
    const inExecution = callFailure(new InferenceError(error.name, error.message, details), MACHINE);
    expect(inExecution).toEqual({ line: `${alone?.line} (execution ${EXECUTION})`, exitCode: 2 });
  });

  const failed = (name: string, message: string, details: object = {}) =>
    new InferenceError(name, message, { executionArn: EXECUTION, ...details });
  const late = new InferenceTimeoutError('got no answer within 90000 ms: raise requestTimeout', EXECUTION);
  const ofSlice = { slice: 2, tensor: 'h', cause: '{}' };
  const FAILED = 'the execution failed:';

  it.each<[string, InferenceError | InferenceTimeoutError, string]>([
    [
      'names slice and tensor',
      failed('CorruptTensor', 'a\nb', ofSlice),
      `${FAILED} CorruptTensor: slice 2: a b`,
    ],
    // The function of the user may fail with the name of an error of AWS.
    ['names the step', failed('AccessDenied', 'no', { step: 'x' }), `${FAILED} AccessDenied: x: no`],
    ['does not blame an execution that succeeded with another output', failed('InvalidOutput', 'no'), 'no'],
    ['names the flag that is too low', late, 'got no answer within 90 s: raise --request-timeout'],
    ['names a flag', failed('InvalidInput', 'stopOnAbort', { executionArn: undefined }), '--stop-on-abort'],
    ['has no execution', new InferenceError('NotAPipeline', 'no pipeline'), 'no pipeline'],
  ])('%s', (_, error, text) => {
    const { executionArn } = error;
    const tensor = 'tensor' in error && error.tensor !== undefined ? `tensor '${error.tensor}', ` : '';
    const end = executionArn === undefined ? '' : ` (${tensor}execution ${executionArn})`;
    // Without an execution, the input is bad.
    const exitCode = executionArn === undefined ? 2 : 1;
    expect(callFailure(error, MACHINE)).toEqual({ line: `error: ${text}${end}`, exitCode });
  });

  it.each([new RangeError('a bug'), 'a text'])('is none if the error is not about a call: %s', (error) => {
    expect(callFailure(error, MACHINE)).toBeUndefined();
  });
});
