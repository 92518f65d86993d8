import { ExecutionProgress } from '../../../bin/invoke/execution-progress';
import type { InferenceProgress } from '../../../client';

const executionArn = 'arn:aws:states:us-east-1:123456789012:execution:machine:1';

type Event = Omit<InferenceProgress, 'time'>;
const started: Event = { event: 'started', executionArn };
const entered = (state: string): Event => ({ event: 'stateEntered', state });
const failed: Event = { event: 'requestFailed', error: new Error('connect ECONNREFUSED') };

/** After these events, of which one comes each second. */
function progressAfter(...events: readonly Event[]): ExecutionProgress {
  const progress = new ExecutionProgress();
  events.forEach((event, second) => {
    progress.report({ ...event, time: second * 1000 });
  });
  return progress;
}

it.each<[string, readonly Event[]]>([
  ['sending the inputs', []],
  ['running the execution: 1 s', [started]],
  ['running Slice 00, Warm-up 01: 3 s', [started, entered('Slice 00'), entered('Warm-up 01')]],
  ['running Slice 00: 3 s (asking again: connect ECONNREFUSED)', [started, entered('Slice 00'), failed]],
  ['running Slice 00: 4 s', [started, entered('Slice 00'), failed, { event: 'requestAnswered' }]],
  // A `Map` enters the same state several times.
  ['running Line: 4 s', [started, entered('Line'), entered('Line'), { event: 'stateExited', state: 'Line' }]],
  // A deployment has replaced the model.
  ['sending the inputs', [started, entered('Slice 00'), { event: 'restarted' }]],
])('the line of progress is %j', (line, events) => {
  expect(progressAfter(...events).line(events.length * 1000)).toBe(line);
});

test('no time is negative, and the execution is known from its start', () => {
  const before = progressAfter();
  expect([before.hasStarted, before.executionArn]).toEqual([false, undefined]);
  const progress = progressAfter(started);
  expect([progress.hasStarted, progress.executionArn]).toEqual([true, executionArn]);
  expect(progress.line(-5000)).toBe('running the execution: 0 s');
});
