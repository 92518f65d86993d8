import { callFailure } from '../../../bin/invoke/call-failure';
import { InferenceError, InferenceTimeoutError } from '../../../client';

const MACHINE = 'arn:aws:states:eu-west-1:123456789012:stateMachine:machine';
const EXECUTION = 'arn:aws:states:eu-west-1:123456789012:execution:machine:1';

/** As the SDK makes the error of a response. */
function serviceError(name: string, message: string, httpStatusCode = 400): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
}

describe('a failed call', () => {
  it.each([
    [
      serviceError(
        'AccessDeniedException',
        'User: arn:aws:iam::1:user/u is not authorized to perform: states:StartExecution on resource: x',
      ),
      /^error: states:StartExecution must be allowed for \S+ or its bucket, got .*: allow it in the policy of your role/,
    ],
    [
      serviceError('AccessDenied', 'Access Denied', 403),
      /^error: the request to AWS must be allowed for .*got AccessDenied \(Access Denied\)/,
    ],
    [
      serviceError('ExpiredTokenException', 'The security token included in the request is expired'),
      /^error: AWS credentials must be valid, got ExpiredTokenException .*: sign in again$/,
    ],
    [
      serviceError('UnrecognizedClientException', 'The security token included in the request is invalid.'),
      /^error: AWS credentials must be valid, got .*: check AWS_PROFILE or the access key$/,
    ],
    [
      serviceError('StateMachineDoesNotExist', 'State Machine Does Not Exist'),
      /^error: the state machine \S+ must exist in account 123456789012 and region eu-west-1, got /,
    ],
    [
      serviceError('ThrottlingException', 'Rate exceeded'),
      /^error: AWS must have capacity for .*: try again later$/,
    ],
    ...['ExecutionLimitExceeded', 'RequestLimitExceeded', 'SlowDown'].map((name): [Error, RegExp] => [
      serviceError(name, 'Rate exceeded'),
      /^error: AWS must have capacity for .*: try again later$/,
    ]),
    [serviceError('ServiceUnavailable', 'Busy', 503), /^error: AWS must have capacity for /],
    [
      Object.assign(new Error('getaddrinfo ENOTFOUND states.eu-west-9.amazonaws.com'), { code: 'ENOTFOUND' }),
      /^error: Step Functions and S3 must be reachable in region eu-west-1, got ENOTFOUND .*: check the region in the ARN/,
    ],
    [
      Object.assign(new Error('Could not load credentials\nfrom any providers'), {
        name: 'CredentialsProviderError',
      }),
      /^error: AWS credentials must be found, got CredentialsProviderError \(Could not load credentials from any providers\)/,
    ],
    [
      serviceError('KmsAccessDeniedException', 'the key'),
      /^error: AWS must accept the request for .*got KmsAccess/,
    ],
  ])('is explained in one line if AWS refuses the request: %s', (error, line) => {
    const alone = callFailure(error, MACHINE);
    expect(alone).toEqual({ line: expect.stringMatching(line) as string, exitCode: 2 });
    const details = { cause: error, executionArn: EXECUTION };
    const inExecution = callFailure(new InferenceError(error.name, error.message, details), MACHINE);
    expect(inExecution).toEqual({ line: `${alone?.line} (execution ${EXECUTION})`, exitCode: 2 });
  });

  it('names slice, tensor and execution if the execution failed', () => {
    const details = { slice: 2, tensor: 'h', executionArn: EXECUTION, cause: '{"slice":2}' };
    expect(callFailure(new InferenceError('CorruptTensor', 'bad\nbytes', details), MACHINE)).toEqual({
      line: `error: the execution failed: CorruptTensor: slice 2: bad bytes (tensor 'h', execution ${EXECUTION})`,
      exitCode: 1,
    });
  });

  it('names the function of the user that failed', () => {
    const details = { step: 'postprocess', executionArn: EXECUTION } as const;
    expect(callFailure(new InferenceError('TypeError', 'no label', details), MACHINE)?.line).toBe(
      `error: the execution failed: TypeError: postprocess: no label (execution ${EXECUTION})`,
    );
  });

  it('is bad input if nothing was started', () => {
    expect(callFailure(new InferenceError('NotAPipeline', 'no pipeline'), MACHINE)).toEqual({
      line: 'error: no pipeline',
      exitCode: 2,
    });
  });

  it('does not blame an execution that succeeded with another output', () => {
    const error = new InferenceError('InvalidOutput', 'no JSON', { executionArn: EXECUTION });
    expect(callFailure(error, MACHINE)).toEqual({
      line: `error: no JSON (execution ${EXECUTION})`,
      exitCode: 1,
    });
  });

  it('names the flag that is too low if the wait is too long', () => {
    const error = new InferenceTimeoutError('no answer: raise requestTimeout or try again', EXECUTION);
    expect(callFailure(error, MACHINE)).toEqual({
      line: `error: no answer: raise --request-timeout or try again (execution ${EXECUTION})`,
      exitCode: 1,
    });
  });

  it('names the flag that the client refuses', () => {
    const error = new InferenceError('InvalidInput', 'stopOnAbort must be for a Standard state machine');
    expect(callFailure(error, MACHINE)?.line).toBe(
      'error: --stop-on-abort must be for a Standard state machine',
    );
  });

  it('is none if the error is not about a call', () => {
    expect(callFailure(new RangeError('a bug'), MACHINE)).toBeUndefined();
    expect(callFailure('a text', MACHINE)).toBeUndefined();
  });

  it("is the execution's own if a function of the user fails with the name of an error of AWS", () => {
    const error = new InferenceError('AccessDenied', 'Access Denied', {
      executionArn: EXECUTION,
      step: 'preprocess',
    });
    const { line, exitCode } = callFailure(error, MACHINE) ?? {};
    expect(line).toContain('preprocess');
    expect(line).not.toContain('grantInvoke');
    expect(exitCode).toBe(1);
  });
});
