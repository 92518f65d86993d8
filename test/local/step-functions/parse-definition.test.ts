import type { Json, JsonObject } from '../../../local/json';
import { LocalCloudError } from '../../../local/local-cloud-error';
import { parseDefinition } from '../../../local/step-functions/parse-definition';
import { graph, map, PASS, task } from '../../support/machine-fixture';

function parse(definition: JsonObject) {
  return parseDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...definition }));
}

function refusal(definition: JsonObject): string {
  try {
    parse(definition);
  } catch (error) {
    if (error instanceof LocalCloudError) return error.message;
    throw error;
  }
  return 'accepted';
}

function retry(fields: JsonObject): JsonObject {
  return task({ Retry: [{ ErrorEquals: ['E'], ...fields }] });
}

function output(value: Json, more: JsonObject = {}): JsonObject {
  return graph('P', { ...PASS, Output: value, ...more });
}

function state(fields: JsonObject): JsonObject {
  return graph('S', fields);
}

const CHOICE = { Type: 'Choice', Choices: [{ Condition: true, Next: 'S' }] };

test('a definition of the construct is accepted', () => {
  const definition = parse({
    Comment: '{"slicedInference":{}}',
    TimeoutSeconds: 300,
    ...task(
      {
        Comment: 'a task',
        Resource: 'arn:aws-cn:states:::lambda:invoke',
        TimeoutSeconds: 60,
        Assign: { timings: '{% [$states.result.Payload.timing] %}' },
        Retry: [
          {
            ErrorEquals: ['Lambda.TooManyRequestsException', 'Sandbox.Timedout'],
            IntervalSeconds: 1,
            MaxAttempts: 3,
            BackoffRate: 2,
            MaxDelaySeconds: 30,
            JitterStrategy: 'FULL',
          },
        ],
        Catch: [
          {
            ErrorEquals: ['States.ALL'],
            Next: 'Failed',
            Assign: { cause: '{% $states.errorOutput.Cause %}' },
          },
        ],
        Next: 'Done',
      },
      {
        Done: { Type: 'Pass', Output: { timings: '{% $append([], $timings) %}' }, End: true },
        Failed: { Type: 'Fail', Error: '{% $states.input.Error %}', Cause: '{% $cause %}' },
      },
    ),
  });
  expect([...definition.states.keys()]).toEqual(['A', 'Done', 'Failed']);
});

describe('parseDefinition refuses by name', () => {
  test.each<[string, JsonObject, string]>([
    [
      'a machine of JSONPath',
      { ...task(), QueryLanguage: 'JSONPath' },
      "the query language JSONPath of state 'A'",
    ],
    [
      'an unknown field of the machine',
      { ...task(), ProcessorConfig: {} },
      'the field ProcessorConfig of the state machine',
    ],
    ['an unknown field of a state', task({ HeartbeatSeconds: 5 }), "the field HeartbeatSeconds of state 'A'"],
    ...['InputPath', 'ResultPath'].map((field): [string, JsonObject, string] => [
      `the JSONPath field ${field}`,
      task({ [field]: '$.x' }),
      `the JSONPath field ${field} of state 'A'`,
    ]),
    [
      'an invocation type without a call',
      task({ Arguments: { FunctionName: 'fn', InvocationType: 'DryRun' } }),
      "the invocation type DryRun of state 'A'",
    ],
    ['a state of JSONPath', task({ QueryLanguage: 'JSONPath' }), 'the query language JSONPath'],
    ['an unknown type of state', state({ Type: 'Loop' }), "the type Loop of state 'S'"],
    [
      'a JSONPath rule of a Choice',
      state({ Type: 'Choice', Choices: [{ Variable: '$.x', IsNull: true, Next: 'S' }] }),
      "the JSONPath rule state 'S' Choices[0]",
    ],
    [
      'the JSONPath field of a Wait',
      state({ Type: 'Wait', SecondsPath: '$.x', End: true }),
      "the JSONPath field SecondsPath of state 'S'",
    ],
    [
      'a distributed Map',
      map({ ItemProcessor: { ...task(), ProcessorConfig: { Mode: 'DISTRIBUTED' } } }),
      "the mode DISTRIBUTED of state 'M'",
    ],
    ...['ItemReader', 'ResultWriter'].map((field): [string, JsonObject, string] => [
      `${field} of a Map`,
      map({ [field]: 1 }),
      `the field ${field} of state 'M'`,
    ]),
    [
      'another resource',
      task({ Resource: 'arn:aws:states:::sqs:sendMessage' }),
      'the resource arn:aws:states:::sqs',
    ],
    ...['states:startExecution.sync:2', 'aws-sdk:sfn:startSyncExecution'].map(
      (integration): [string, JsonObject, string] => [
        `another state machine through ${integration}`,
        task({ Resource: `arn:aws:states:::${integration}` }),
        `the resource arn:aws:states:::${integration} of state 'A': run the states of the pipeline inside your state machine with asFragment`,
      ],
    ),
    [
      'a task token',
      task({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' }),
      'waitForTaskToken',
    ],
    [
      'an unknown argument',
      task({ Arguments: { FunctionName: 'f', Qualifier: '1' } }),
      'the field Qualifier',
    ],
    [
      'a computed function',
      task({ Arguments: { FunctionName: '{% $states.input %}' } }),
      'an expression as function name',
    ],
    ['an unknown field of a Retry', retry({ Wait: 1 }), "the field Wait of state 'A' Retry[0]"],
    ['an unassigned variable', output('{% $nobody %}'), 'the variable or function $nobody in Output'],
    ['an unknown function', output('{% $foo(1) %}'), 'the variable or function $foo in Output'],
    ['$eval', output('{% $eval("1") %}'), 'the variable or function $eval in Output'],
    ['$ at the top', output('{% $ %}'), 'outside of a nested expression in Output'],
    ['a JSONPath template', output({ 'x.$': '$.y' }), 'the JSONPath field Output/x.$'],
  ])('%s', (_, definition, message) => {
    expect(refusal(definition)).toContain(message);
    expect(refusal(definition)).toMatch(/^the local cloud does not support /);
  });
});

describe('parseDefinition refuses', () => {
  test.each<[string, JsonObject, string]>([
    ['a start that is not a state', { StartAt: 'X', States: {} }, "the start leads to 'X'"],
    ['a next that is not a state', task({ Next: 'X' }), "state 'A' leads to 'X'"],
    [
      'a catch that leads nowhere',
      task({ Catch: [{ ErrorEquals: ['E'], Next: 'X' }] }),
      "a catch of state 'A' leads to 'X'",
    ],
    [
      'a choice that leads nowhere',
      state({ ...CHOICE, Choices: [{ Condition: true, Next: 'X' }] }),
      "a choice of state 'S' leads to 'X'",
    ],
    [
      'a default that leads nowhere',
      state({ ...CHOICE, Default: 'X' }),
      "the default of state 'S' leads to 'X'",
    ],
    ['no choices', state({ Type: 'Choice', Choices: [] }), 'Choices of state'],
    [
      'a choice without a condition',
      state({ Type: 'Choice', Choices: [{ Next: 'S' }] }),
      "Condition of state 'S' Choices[0] expects true, false or a JSONata expression, got null",
    ],
    [
      'a Wait without an end',
      state({ Type: 'Wait', End: true }),
      "Seconds of state 'S' expects a number of seconds, or else a Timestamp",
    ],
    ['a Map without an ItemProcessor', map({ ItemProcessor: undefined }), "the ItemProcessor of state 'M'"],
    ['neither Next nor End', task({ End: false }), "Next of state 'A' expects a state, or End to be true"],
    [
      'no function',
      task({ Arguments: {} }),
      "FunctionName of the arguments of state 'A' expects text, got null",
    ],
    ['no arguments', task({ Arguments: undefined }), "the arguments of state 'A' is not an object"],
    ['an unknown jitter strategy', retry({ JitterStrategy: 'SOME' }), 'JitterStrategy'],
    ['a backoff below 1', retry({ BackoffRate: 0.5 }), 'BackoffRate'],
    ['an interval of 0', retry({ IntervalSeconds: 0 }), 'IntervalSeconds'],
    [
      'a maximal delay below the interval',
      retry({ IntervalSeconds: 5, MaxDelaySeconds: 5 }),
      'MaxDelaySeconds',
    ],
    ['no error names', retry({ ErrorEquals: [] }), 'ErrorEquals'],
    ['States.ALL among others', retry({ ErrorEquals: ['States.ALL', 'E'] }), 'must stand alone and last'],
    [
      'States.ALL before others',
      task({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['E'] }] }),
      'must stand alone and last',
    ],
    ['a variable named states', task({ Assign: { states: 1 } }), 'Assign'],
    ['broken JSONata', output('{% 1 + %}'), 'Output is not JSONata'],
    ['an expression without an end', output('{% 1 + 1'), "expected '{%' and '%}' at its ends"],
  ])('%s', (_, definition, message) => {
    expect(refusal(definition)).toContain(message);
  });

  test('text that is not JSON', () => {
    expect(() => parseDefinition('{')).toThrow('the definition is not JSON');
  });

  test('a definition above 1 MB', () => {
    expect(refusal({ ...task(), Comment: 'x'.repeat(1_048_576) })).toContain('at most 1048576 bytes');
  });
});

// Step Functions has JSONata 2.0.6: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
test.each(['$states.input.a ?? 1', '$states.input.a ?: 1'])(
  'JSONata newer than 2.0.6 is refused: %s',
  (source) => {
    expect(refusal(output(`{% ${source} %}`))).toMatch(/is not JSONata, got/);
  },
);

describe('names in expressions', () => {
  test.each([
    '($x := 1; $x + 1)',
    '$map([1, 2], function($v, $i) { $v * $i })',
    '$map(["1"], $number)',
    '$states.input.items[$.size > 1].name',
    '$states.input ~> $keys',
    '$reduce([1, 2], function($sum, $n) { $sum + $n }, 0)',
    '$parse("1") + $range(0, 4, 2)[0] + $count($partition([1, 2, 3], 2))',
    '$hash("a", "SHA-256") & $uuid() & $string($random()) & $now()',
  ])('are accepted in %s', (source) => {
    expect(refusal(output(`{% ${source} %}`))).toBe('accepted');
  });
});

test('a JSONPath machine whose states all use JSONata is accepted', () => {
  const definition = parseDefinition(JSON.stringify(task({ QueryLanguage: 'JSONata' })));
  expect([...definition.states.keys()]).toEqual(['A']);
});
