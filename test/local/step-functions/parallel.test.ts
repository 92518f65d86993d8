/** Branches that run concurrently: their inputs, their outputs, and their failures. */
import type { JsonObject } from '../../../local/json';
import { parseDefinition } from '../../../local/step-functions/parse-definition';
import { graph, HANG, parallel, run, taskState } from '../../support/machine-fixture';

/** A branch of one task. */
function branch(name: string, fields: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return graph(name, taskState(fields), more);
}

function refusal(definition: JsonObject): string {
  try {
    parseDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...definition }));
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

test('branches get the input, and their outputs are returned in their order', async () => {
  const { result, payloads } = await run(parallel([branch('A'), branch('B')]), {
    input: { a: 1 },
    attempts: [{ answer: 'first' }, { answer: 'second' }],
  });
  expect(payloads).toEqual([{ a: 1 }, { a: 1 }]);
  expect(result).toMatchObject({ status: 'SUCCEEDED', output: ['first', 'second'] });
});

test('Arguments replace the input, and Assign and Output use the result', async () => {
  const { result } = await run(
    parallel(
      [branch('A'), branch('B')],
      {
        Arguments: { b: '{% $states.input.a + 1 %}' },
        Assign: { second: '{% $states.result[1].b %}' },
        Output: '{% $count($states.result) %}',
        Next: 'Q',
      },
      { Q: { Type: 'Pass', Output: ['{% $states.input %}', '{% $second %}'], End: true } },
    ),
    { input: { a: 1 } },
  );
  expect(result).toMatchObject({ output: [2, 2] });
});

test('a branch can read the variables of enclosing states, and has its own variables', async () => {
  const setting = { Type: 'Pass', Assign: { outer: 1 }, Next: 'P' };
  const adding = (name: string) =>
    branch(
      name,
      { Assign: { [`own${name}`]: '{% $outer + 1 %}' }, Next: `${name}2` },
      { [`${name}2`]: { Type: 'Pass', Output: `{% $own${name} %}`, End: true } },
    );
  const { States } = parallel([adding('A'), adding('B')]);
  const { result } = await run({ StartAt: 'S', States: { S: setting, ...(States as JsonObject) } });
  expect(result).toMatchObject({ output: [2, 2] });
});

test('a failed branch ends the other branches, and fails the run with its own error', async () => {
  const { result, trace } = await run(parallel([branch('A'), branch('B')]), {
    attempts: [HANG, { error: 'Broken', cause: 'it was' }],
  });
  expect(result).toMatchObject({ status: 'FAILED', error: 'Broken', cause: 'it was' });
  expect(trace).not.toContain('A TaskSucceeded 0');
});

test('a Fail state in a branch fails the run', async () => {
  const failing = branch(
    'A',
    { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'F', Assign: { failure: '{% $states.errorOutput %}' } }] },
    { F: { Type: 'Fail', Error: '{% $failure.Error %}', Cause: 'told' } },
  );
  const { result } = await run(parallel([failing, branch('B')]), {
    attempts: [{ error: 'Broken' }, HANG],
  });
  expect(result).toMatchObject({ status: 'FAILED', error: 'Broken', cause: 'told' });
});

test('Retry and Catch of a Parallel state apply to all branches together', async () => {
  const retried = await run(
    parallel([branch('A'), branch('B')], { Retry: [{ ErrorEquals: ['Broken'], MaxAttempts: 1 }] }),
    { attempts: [{ error: 'Broken' }, { answer: 0 }, { answer: 1 }, { answer: 2 }] },
  );
  expect(retried.result).toMatchObject({ output: [1, 2] });
  const caught = await run(
    parallel(
      [branch('A'), branch('B')],
      { Catch: [{ ErrorEquals: ['Broken'], Next: 'Q', Output: '{% $states.errorOutput.Error %}' }] },
      { Q: { Type: 'Pass', End: true } },
    ),
    { attempts: [{ error: 'Broken' }] },
  );
  expect(caught.result).toMatchObject({ status: 'SUCCEEDED', output: 'Broken' });
});

test('retries in one branch do not affect the other', async () => {
  const { result, seconds } = await run(
    parallel([branch('A', { Retry: [{ ErrorEquals: ['Broken'], IntervalSeconds: 7 }] }), branch('B')]),
    { attempts: [{ error: 'Broken' }, { answer: 'b' }, { answer: 'a' }] },
  );
  expect(result).toMatchObject({ output: ['a', 'b'] });
  expect(seconds).toBe(7);
});

test('definitions that would not run on AWS are refused', () => {
  expect(refusal(parallel([branch('A'), branch('A')]))).toBe(
    "the state name 'A' must be unique, got two such states: rename one of them",
  );
  expect(refusal(parallel([branch('A', { Next: 'P' })]))).toContain(
    "state 'A' leads to 'P', got no such state",
  );
  const shadowing = parallel([branch('A', { Assign: { x: 1 } })], { Assign: { x: 2 } });
  expect(refusal(shadowing)).toBe(
    "state 'P' Branches[0] assigns the variable 'x', which an enclosing state also assigns: choose another name",
  );
  expect(
    refusal(parallel([branch('A')], { Next: 'Q' }, { Q: { Type: 'Pass', Output: '{% $own %}', End: true } })),
  ).toContain('the variable or function $own');
  expect(refusal(parallel([{ ...branch('A'), TimeoutSeconds: 1 }]))).toContain('the field TimeoutSeconds');
});
