/** Choice states, in JSONata. */
import type { Json, JsonObject } from '../../../local/json';
import { recorded, run } from '../../support/machine-fixture';

const DONE = { Type: 'Pass', End: true };

/** A machine with one Choice, which leads to states that return their input and the variable `by`. */
function choice(rules: readonly Json[], fields: JsonObject = {}): JsonObject {
  const end = (name: string) => ({
    Type: 'Pass',
    Output: [name, '{% $states.input %}', '{% $by %}'],
    End: true,
  });
  return {
    StartAt: 'Init',
    States: {
      Init: { Type: 'Pass', Assign: { by: 'nobody' }, Next: 'C' },
      C: { Type: 'Choice', Choices: rules, ...fields },
      X: end('X'),
      Y: end('Y'),
    },
  };
}

const RULES = [
  {
    Condition: '{% $states.input > 10 %}',
    Next: 'X',
    Output: '{% $states.input * 2 %}',
    Assign: { by: 'rule' },
  },
  { Condition: '{% $states.input > 5 %}', Next: 'Y' },
];

test.each([
  ['the first rule that matches', 11, ['X', 22, 'rule']],
  ['a later rule', 6, ['Y', 6, 'nobody']],
  ['the default, with the Output and Assign of the state', 1, ['Y', 'small', 'default']],
])('the run goes on with %s', async (_, input, output) => {
  const fields = { Default: 'Y', Output: 'small', Assign: { by: 'default' } };
  const { result } = await run(choice(RULES, fields), { input });
  expect(result).toMatchObject({ status: 'SUCCEEDED', output });
});

test('a condition may be a literal', async () => {
  const rules = [
    { Condition: false, Next: 'X' },
    { Condition: true, Next: 'Y' },
  ];
  const { result } = await run(choice(rules), { input: 1 });
  expect(result).toMatchObject({ output: ['Y', 1, 'nobody'] });
});

test('rules after the first match are not evaluated', async () => {
  const rules = [
    { Condition: true, Next: 'X' },
    { Condition: '{% $error("no") %}', Next: 'Y' },
  ];
  expect((await run(choice(rules))).result).toMatchObject({ status: 'SUCCEEDED' });
});

test('without a match and a default the execution fails with States.NoChoiceMatched', async () => {
  const { result, events } = await recorded(choice(RULES), { input: 1 });
  expect(result).toMatchObject({
    status: 'FAILED',
    error: 'States.NoChoiceMatched',
    cause:
      "An error occurred while executing the state 'C' (entered at the event id #4). " +
      'Failed to transition out of the state. The state does not point to a next state.',
  });
  expect(events.slice(-2)).toEqual(['4<3 ChoiceStateEntered C', '5<4 ExecutionFailed']);
});

test.each([
  [
    'is not a boolean',
    '{% $states.input + 1 %}',
    "an unexpected result type. Expected 'boolean', but was 'number' for value: 2",
  ],
  ['returns nothing', '{% $states.input.x %}', 'nothing (undefined).'],
])('a condition that %s is a States.QueryEvaluationError of the state', async (_, Condition, reason) => {
  const { result, execution, events } = await recorded(choice([{ Condition, Next: 'X' }]), { input: 1 });
  const source = Condition.slice(3, -3);
  const cause =
    "An error occurred while executing the state 'C' (entered at the event id #4). " +
    `The JSONata expression '${source}' specified for the field 'Choices[0]/Condition' returned ${reason}`;
  expect(result).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError', cause });
  expect(events.slice(-2)).toEqual(['5<4 EvaluationFailed', '6<5 ExecutionFailed']);
  expect(execution.history.events[4].details).toEqual({
    error: 'States.QueryEvaluationError',
    cause,
    location: 'Choices[0]/Condition',
    state: 'C',
  });
});

test('a failing Output of a rule names the rule', async () => {
  const rules = [{ Condition: true, Next: 'X', Output: { a: '{% $states.input.missing %}' } }];
  const { result } = await run(choice(rules), { input: {} });
  expect(result).toHaveProperty('cause', expect.stringContaining("the field 'Choices[0]/Output/a'"));
});

test('a state can be visited again in a loop', async () => {
  const definition = {
    StartAt: 'Count',
    States: {
      Count: { Type: 'Pass', Output: '{% $states.input + 1 %}', Next: 'C' },
      C: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $states.input < 5 %}', Next: 'Count' }],
        Default: 'Done',
      },
      Done: DONE,
    },
  };
  expect((await run(definition, { input: 0 })).result).toMatchObject({ output: 5 });
});
