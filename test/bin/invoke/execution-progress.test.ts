import { ExecutionProgress } from '../../../bin/invoke/execution-progress';
import type { InferenceProgress } from '../../../client';

const ARN = 'arn:aws:states:us-east-1:123456789012:execution:machine:1';

/** The line after these events, of which one comes each second. */
function lineAfter(...events: readonly Omit<InferenceProgress, 'time'>[]): string {
  const progress = new ExecutionProgress();
  events.forEach((event, second) => {
    progress.report({ ...event, time: second * 1000 });
  });
  return progress.line(events.length * 1000);
}

describe('the line of progress', () => {
  it('says that inputs are sent before the execution starts', () => {
    expect(lineAfter()).toBe('sending the inputs');
  });

  it('shows the states that are running, and the seconds since the start', () => {
    expect(
      lineAfter(
        { event: 'started', executionArn: ARN },
        { event: 'stateEntered', state: 'Slice 00' },
        { event: 'stateEntered', state: 'Warm-up 01' },
      ),
    ).toBe('running Slice 00, Warm-up 01: 3 s');
  });

  it('says that a request failed and is sent again, until one succeeds', () => {
    const failed = { event: 'requestFailed', error: new Error('connect ECONNREFUSED') } as const;
    const entered = { event: 'stateEntered', state: 'Slice 00' } as const;
    expect(lineAfter({ event: 'started' }, entered, failed)).toBe(
      'running Slice 00: 3 s (asking again: connect ECONNREFUSED)',
    );
    expect(lineAfter({ event: 'started' }, entered, failed, { event: 'requestAnswered' })).toBe(
      'running Slice 00: 4 s',
    );
  });

  it('forgets one state for each that ends, also of equal names', () => {
    expect(
      lineAfter(
        { event: 'started' },
        { event: 'stateEntered', state: 'Line' },
        { event: 'stateEntered', state: 'Line' },
        { event: 'stateExited', state: 'Line' },
      ),
    ).toBe('running Line: 4 s');
  });

  it('has the time only for an Express execution, and never a negative one', () => {
    expect(lineAfter({ event: 'started' })).toBe('running the execution: 1 s');
    const progress = new ExecutionProgress();
    progress.report({ event: 'started', time: 5000 });
    expect(progress.line(0)).toBe('running the execution: 0 s');
  });

  it('begins again when a deployment has replaced the model', () => {
    expect(
      lineAfter(
        { event: 'started', executionArn: ARN },
        { event: 'stateEntered', state: 'Slice 00' },
        { event: 'restarted' },
      ),
    ).toBe('sending the inputs');
  });

  it('knows the execution from its start', () => {
    const progress = new ExecutionProgress();
    expect([progress.hasStarted, progress.executionArn]).toEqual([false, undefined]);
    progress.report({ event: 'started', time: 0, executionArn: ARN });
    expect([progress.hasStarted, progress.executionArn]).toEqual([true, ARN]);
  });
});
