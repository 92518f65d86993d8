/** Wait states, on a virtual clock. */
import type { JsonObject } from '../../../local/json';
import { graph, recorded, run, START } from '../../support/machine-fixture';

function wait(fields: JsonObject): JsonObject {
  return graph('W', { Type: 'Wait', End: true, ...fields });
}

test.each<[string, JsonObject, number]>([
  ['a number of seconds', { Seconds: 7 }, 7],
  ['no time', { Seconds: 0 }, 0],
  ['seconds of an expression', { Seconds: '{% $states.input.n * 2 %}' }, 6],
  ['until a timestamp', { Timestamp: new Date(START + 90_000).toISOString() }, 90],
  ['until a timestamp of an expression', { Timestamp: '{% $states.input.at %}' }, 60],
  ['until a timestamp with an offset', { Timestamp: '2026-01-02T04:05:05+01:00' }, 60],
  ['not at all for a timestamp in the past', { Timestamp: '2020-01-01T00:00:00Z' }, 0],
])('a state waits %s', async (_, fields, seconds) => {
  const input = { n: 3, at: new Date(START + 60_000).toISOString() };
  const waited = await run(wait(fields), { input });
  expect(waited.result).toMatchObject({ status: 'SUCCEEDED', output: input });
  expect(waited.seconds).toBe(seconds);
});

test.each<[string, JsonObject, string]>([
  [
    'a fraction of a second',
    { Seconds: '{% 1.5 %}' },
    "The field 'Seconds' expects an integer from 0 to 99999999, got 1.5",
  ],
  ['less than no time', { Seconds: '{% -1 %}' }, 'got -1'],
  ['text', { Seconds: '{% "1" %}' }, `Expected 'number', but was 'string' for value: "1"`],
  [
    'another text than a timestamp',
    { Timestamp: '{% "tomorrow" %}' },
    "such as 2026-01-02T03:04:05Z, got 'tomorrow'",
  ],
  ['a date without a time', { Timestamp: '{% "2026-01-02" %}' }, "got '2026-01-02'"],
])('%s is a States.QueryEvaluationError', async (_, fields, reason) => {
  const { result } = await run(wait(fields));
  expect(result).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
  expect(result).toHaveProperty('cause', expect.stringContaining(reason));
});

test('Output and Assign apply after the wait', async () => {
  const { events, result } = await recorded(wait({ Seconds: 1, Output: { waited: true }, Assign: { x: 1 } }));
  expect(result).toMatchObject({ output: { waited: true } });
  expect(events).toEqual([
    '1<0 ExecutionStarted',
    '2<0 WaitStateEntered W',
    '3<2 WaitStateExited W',
    '4<3 ExecutionSucceeded',
  ]);
});
