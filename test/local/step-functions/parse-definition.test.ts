/** Which definitions are accepted, and how others are refused before anything runs. */
import type { JsonObject } from '../../../local/json';
import { parseDefinition } from '../../../local/step-functions/parse-definition';
import { graph, parallel, pass, task } from '../../support/machine-fixture';
import { distributedMap, readerOf } from '../../support/map-run-fixture';

function parse(definition: JsonObject) {
  return parseDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...definition }));
}

function retry(fields: JsonObject): JsonObject {
  return task({ Retry: [{ ErrorEquals: ['E'], ...fields }] });
}

function call(fields: JsonObject): JsonObject {
  return task({ Arguments: fields });
}

function state(Type: string, fields: JsonObject): JsonObject {
  return graph('S', { Type, ...fields });
}

const ofFile = (fields: JsonObject): JsonObject =>
  distributedMap('', { ItemReader: { ...readerOf('i.csv'), ...fields } });
const readAs = (ReaderConfig: JsonObject): JsonObject => ofFile({ ReaderConfig });
const flattened = (fields: JsonObject): JsonObject =>
  distributedMap('', {
    ItemReader: { ...readerOf(''), ReaderConfig: { Transformation: 'LOAD_AND_FLATTEN', ...fields } },
  });
const processed = (fields: JsonObject, processor: JsonObject = task()): JsonObject =>
  distributedMap('', {
    ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ...fields }, ...processor },
  });
type Fields = Record<string, JsonObject>;
const EXPRESS = { ExecutionType: 'EXPRESS' };

const CHOICE = { Condition: true, Next: 'S' };

test('a JSONPath machine whose states all use JSONata is accepted', () => {
  const definition = parseDefinition(JSON.stringify(task({ QueryLanguage: 'JSONata' })));
  expect([...definition.states.keys()]).toEqual(['A']);
});

const useFragment = ': run the states of the pipeline inside your state machine with asFragment';
test.each<[string, JsonObject]>([
  ["the query language JSONPath of state 'A'", { ...task(), QueryLanguage: 'JSONPath' }],
  ["the field HeartbeatSeconds of state 'A'", task({ HeartbeatSeconds: 5 })],
  ["the invocation type DryRun of state 'A'", call({ FunctionName: 'f', InvocationType: 'DryRun' })],
  ['an expression as function name', call({ FunctionName: '{% $states.input %}' })],
  ["the type Loop of state 'S'", state('Loop', {})],
  ["the mode SHARED of state 'M'", processed({ Mode: 'SHARED' })],
  ["the execution type STANDARD of state 'M'", processed({ ExecutionType: 'STANDARD' })],
  [
    "the mode DISTRIBUTED of state 'N', which runs in an Express execution",
    processed(EXPRESS, graph('N', (distributedMap('').States as Fields).M)),
  ],
  ["state 'M' without ResultWriter", distributedMap('', { ResultWriter: undefined })],
  [
    'the resource arn:aws:states:::s3:putObject of the ItemReader',
    ofFile({ Resource: 'arn:aws:states:::s3:putObject' }),
  ],
  ["the input type ION of the ReaderConfig of the ItemReader of state 'M'", readAs({ InputType: 'ION' })],
  ['the field ItemsPointer', readAs({ InputType: 'JSON', ItemsPointer: '/a' })],
  ['the field Transformation', readAs({ InputType: 'JSONL', Transformation: 'LOAD_AND_FLATTEN' })],
  [
    "the transformation NONE of the ReaderConfig of the ItemReader of state 'M': use LOAD_AND_FLATTEN",
    flattened({ Transformation: 'NONE' }),
  ],
  ['LOAD_AND_FLATTEN with the input type MANIFEST', flattened({ InputType: 'MANIFEST' })],
  ['the field MaxItems', readAs({ InputType: 'JSONL', MaxItems: 5 })],
  ['a state name of more than 80 characters', graph('x'.repeat(81))],
  ...[
    ['sqs:sendMessage', ''],
    ['states:startExecution.sync:2', useFragment],
    ['aws-sdk:sfn:startSyncExecution', useFragment],
  ].map(([integration, remedy]): [string, JsonObject] => [
    `the resource arn:aws:states:::${integration} of state 'A'${remedy}`,
    task({ Resource: `arn:aws:states:::${integration}` }),
  ]),
])('the local cloud does not support %s', (what, definition) => {
  expect(() => parse(definition)).toThrow(`the local cloud does not support ${what}`);
});

describe('a definition is refused because', () => {
  test.each<[string, JsonObject]>([
    ["the start leads to 'X'", { StartAt: 'X', States: {} }],
    ["state 'A' leads to 'X', got no such state", task({ Next: 'X' })],
    ["state 'S' Choices[0] leads to 'X'", state('Choice', { Choices: [{ ...CHOICE, Next: 'X' }] })],
    [
      "Condition of state 'S' Choices[0] expects true, false or a JSONata expression, got null",
      state('Choice', { Choices: [{ Next: 'S' }] }),
    ],
    ["state 'S' without Seconds", state('Wait', { Timestamp: '2026-01-02T03:04:05Z', End: true })],
    ["Next of state 'A' expects a state, or End to be true", task({ End: false })],
    ["FunctionName of the arguments of state 'A' expects text, got null", call({})],
    ['JitterStrategy', retry({ JitterStrategy: 'SOME' })],
    ['BackoffRate', retry({ BackoffRate: 0.5 })],
    ['ErrorEquals', retry({ ErrorEquals: [] })],
    ['Label', distributedMap('', { Label: 'a b' })],
    ['Key of the Arguments of the ItemReader', ofFile({ Arguments: { Bucket: 'b' } })],
    ['MaxItemsPerBatch of the ItemBatcher', distributedMap('', { ItemBatcher: { BatchInput: 1 } })],
    ['Assign', task({ Assign: { states: 1 } })],
    ["expected '{%' and '%}' at its ends", pass('{% 1 + 1')],
    ["the state name 'A' must be unique, got two such states", parallel([graph('A'), graph('A')])],
    ['at most 1048576 bytes', { ...task(), Comment: 'x'.repeat(1_048_576) }],
  ])('%s', (message, definition) => {
    expect(() => parse(definition)).toThrow(message);
  });

  test('an Express state machine has a distributed Map', () => {
    const definition = JSON.stringify({ QueryLanguage: 'JSONata', ...distributedMap('') });
    expect(() => parseDefinition(definition, 'EXPRESS')).toThrow(
      "the mode DISTRIBUTED of state 'M', which runs in",
    );
  });

  test('it is not JSON', () => {
    expect(() => parseDefinition('{')).toThrow('the definition is not JSON');
  });
});
