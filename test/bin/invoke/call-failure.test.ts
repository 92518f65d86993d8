import { callFailure } from '../../../bin/invoke/call-failure';
import { InferenceError, InferenceTimeoutError } from '../../../client';
import { serviceError } from '../../support/fake-aws';

const EXECUTION = 'arn:aws:states:eu-west-1:123456789012:execution:machine:1';

describe('a failed call', () => {
  it('has the words of AWS if AWS refuses the request, whether or not something runs', () => {
    const cause = serviceError(
      'AccessDeniedException',
      400,
      'not authorized to perform:\nstates:StartExecution',
    );
    const line = 'error: not authorized to perform: states:StartExecution';
    const errorWith = (executionArn?: string) =>
      new InferenceError(cause.name, cause.message, { cause, executionArn });
    expect(callFailure(errorWith())).toEqual({ line, exitCode: 2 });
    expect(callFailure(errorWith(EXECUTION))).toEqual({
      line: `${line} (execution ${EXECUTION})`,
      exitCode: 2,
    });
  });

  const failed = (name: string, message: string, details: object = {}) =>
    new InferenceError(name, message, { executionArn: EXECUTION, ...details });
  const late = new InferenceTimeoutError('got no answer within 90000 ms: raise waitTimeout', EXECUTION);
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
    ['names the flag that is too low', late, 'got no answer within 90 s: raise --timeout'],
    ['names a flag', failed('InvalidInput', 'stopOnAbort', { executionArn: undefined }), '--stop-on-abort'],
    [
      'names an option without a flag',
      failed('InvalidOutput', 'got 3 GB: raise maxResultBytes'),
      'got 3 GB: call it in code, with a larger maxResultBytes',
    ],
    ['has no execution', new InferenceError('NotAPipeline', 'no pipeline'), 'no pipeline'],
  ])('%s', (_, error, text) => {
    const { executionArn } = error;
    const tensor = 'tensor' in error && error.tensor !== undefined ? `tensor '${error.tensor}', ` : '';
    const end = executionArn === undefined ? '' : ` (${tensor}execution ${executionArn})`;
    // Without an execution, the input is bad.
    const exitCode = executionArn === undefined ? 2 : 1;
    expect(callFailure(error)).toEqual({ line: `error: ${text}${end}`, exitCode });
  });

  it.each([new RangeError('a bug'), 'a text'])('is none if the error is not about a call: %s', (error) => {
    expect(callFailure(error)).toBeUndefined();
  });
});
