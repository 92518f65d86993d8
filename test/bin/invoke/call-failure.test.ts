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
    [
      serviceError('AccessDeniedException', 400, NOT_AUTHORIZED),
      /: states:StartExecution must be allowed for /,
    ],
    [serviceError('ExpiredTokenException'), /: AWS credentials must be valid, got Expired.*: sign in again$/],
    [
      serviceError('StateMachineDoesNotExist'),
      /must exist in account 123456789012 and region eu-west-1, got/,
    ],
    [serviceError('ThrottlingException'), /: AWS must have capacity for .*: try again later$/],
    [serviceError('ServiceUnavailable', 503), /: AWS must have capacity for .*: try again later$/],
    [
      ENOTFOUND,
      /: Step Functions and S3 must be reachable in region eu-west-1, got ENOTFOUND .*: check the reg/,
    ],
    [
      NO_CREDENTIALS,
      /: AWS credentials must be found, got CredentialsProviderError \(Could not load\): set AWS_/,
    ],
    [serviceError('KmsAccessDeniedException'), /: AWS must accept the request for .*got KmsAccess/],
  ])('is explained in one line if AWS refuses the request: %s', (error, line) => {
    const alone = callFailure(error, MACHINE);
    expect(alone).toEqual({ line: expect.stringMatching(line) as string, exitCode: 2 });
    const details = { cause: error, executionArn: EXECUTION };
    const inExecution = callFailure(new InferenceError(error.name, error.message, details), MACHINE);
    expect(inExecution).toEqual({ line: `${alone?.line} (execution ${EXECUTION})`, exitCode: 2 });
  });

  const executionArn = EXECUTION;
  it.each<[string, Error, number, string]>([
    [
      'names slice, tensor and execution if the execution failed',
      new InferenceError('CorruptTensor', 'bad\nbytes', { slice: 2, tensor: 'h', executionArn, cause: '{}' }),
      1,
      `error: the execution failed: CorruptTensor: slice 2: bad bytes (tensor 'h', execution ${EXECUTION})`,
    ],
    [
      'names the function of the user that failed, also with the name of an error of AWS',
      new InferenceError('AccessDenied', 'no label', { step: 'postprocess', executionArn }),
      1,
      `error: the execution failed: AccessDenied: postprocess: no label (execution ${EXECUTION})`,
    ],
    [
      'is bad input if nothing was started',
      new InferenceError('NotAPipeline', 'no pipeline'),
      2,
      'error: no pipeline',
    ],
    [
      'does not blame an execution that succeeded with another output',
      new InferenceError('InvalidOutput', 'no JSON', { executionArn }),
      1,
      `error: no JSON (execution ${EXECUTION})`,
    ],
    [
      'names the flag that is too low if the wait is too long',
      new InferenceTimeoutError('no answer within 90000 ms: raise requestTimeout or try again', EXECUTION),
      1,
      `error: no answer within 90 s: raise --request-timeout or try again (execution ${EXECUTION})`,
    ],
    [
      'names the flag that the client refuses',
      new InferenceError('InvalidInput', 'stopOnAbort must be for a Standard state machine'),
      2,
      'error: --stop-on-abort must be for a Standard state machine',
    ],
  ])('%s', (_, error, exitCode, line) => {
    expect(callFailure(error, MACHINE)).toEqual({ line, exitCode });
  });

  it.each([new RangeError('a bug'), 'a text'])('is none if the error is not about a call: %s', (error) => {
    expect(callFailure(error, MACHINE)).toBeUndefined();
  });
});
