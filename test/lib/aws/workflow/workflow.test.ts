/** The states of a run. `test/lib/pipeline/snapshot.test.ts` has the whole definition of three slices, with its retries. */
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import jsonata from 'jsonata';
import { type SlicedInferencePipelineProps, Slicing, WarmUp } from '../../../../lib';
import { boundedRequest } from '../../../../lib/aws/workflow/state-tensors';
import { lateInput } from '../../../support/late-input-model';
import { mlp, saveModel } from '../../../support/model-builder';
import { type ShortTemplate, definitionOf, pipelineStack } from '../../../support/pipeline-stack';
import { ensemble, twoTowers } from '../../../support/towers';
import { type StateMachineDefinition, unassignedVariables } from '../../../support/unassigned-variables';

type Props = Partial<SlicedInferencePipelineProps>;
type Payload = Readonly<Record<string, unknown>>;

const RUN = "{% $join($split($states.context.Execution.Id, ':')[[-2..-1]], '/') %}";
const REQUEST = boundedRequest('$states.context.Execution.Input');
const IDENTITY = { version: 1, deploymentDigest: '<sha256>', run: RUN };
const EVENT = { ...IDENTITY, executionArn: '{% $states.context.Execution.Id %}' };

const three = { slicing: Slicing.count(3) };
/** Without warm-up states. */
const cold = { ...three, warmUp: WarmUp.NEVER };
const standard = { stateMachineType: sfn.StateMachineType.STANDARD };
const branches = { modelPath: saveModel({ graph: twoTowers() }), slicing: Slicing.count(5) };

const machineOf = (props: Props): StateMachineDefinition => definitionOf(pipelineStack(props));

function payloadOf({ States }: StateMachineDefinition, state: string): Payload {
  return (States[state].Arguments as { Payload: Payload }).Payload;
}

describe('the state machine of three slices with their tensors in S3', () => {
  let stack: ShortTemplate;
  let definition: StateMachineDefinition;
  beforeAll(() => {
    stack = pipelineStack({ ...cold, tensorsInState: false });
    definition = definitionOf(stack);
  });

  test('runs the slices in order, and ends with the last slice or with Failed', () => {
    expect(definition.StartAt).toBe('Slice 00');
    const ways = Object.entries(definition.States).map(([name, { Type, Next, End }]) => [
      name,
      Type,
      Next ?? End,
    ]);
    expect(ways).toEqual([
      ['Slice 00', 'Task', 'Slice 01'],
      ['Slice 01', 'Task', 'Slice 02'],
      ['Slice 02', 'Task', true],
      ['Failed', 'Fail', undefined],
    ]);
  });

  test('sends the request to the first and the last slice, and outputs the results and all timings', () => {
    const payloads = ['Slice 00', 'Slice 01', 'Slice 02'].map((state) => payloadOf(definition, state));
    expect(payloads).toEqual([{ ...EVENT, request: REQUEST }, EVENT, { ...EVENT, request: REQUEST }]);
    const { 'Slice 00': first, 'Slice 02': last } = definition.States;
    expect(first).toMatchObject({
      Assign: { timing0: '{% $states.result.Payload.timing %}' },
      Output: {},
      Catch: [
        {
          ErrorEquals: ['States.ALL'],
          Assign: { failure: '{% $states.errorOutput %}', failedAt: { slice: 0 } },
          Next: 'Failed',
        },
      ],
    });
    expect(last.Output).toEqual({
      ...IDENTITY,
      outputs: '{% $states.result.Payload.outputs %}',
      timings: '{% [$timing0, $timing1, $states.result.Payload.timing] %}',
    });
  });

  test('does not retry errors that a retry cannot fix', () => {
    const { Retry } = definition.States['Slice 00'] as unknown as { Retry: { ErrorEquals: string[] }[] };
    const retried = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
    expect(retried).toEqual(expect.arrayContaining(['Lambda.TooManyRequestsException', 'SliceFailed']));
    for (const final of ['InvalidInput', 'PlanChanged', 'States.ALL', 'States.TaskFailed'])
      expect(retried).not.toContain(final);
  });

  test('leaves failures to Step Functions if it is a Standard machine, so that a redrive runs the task again', () => {
    for (const [name, { Type, Catch }] of Object.entries(machineOf({ ...cold, ...standard }).States))
      expect([name, Type, Catch]).toEqual([name, 'Task', undefined]);
  });

  test("has the model's signature as JSON in its comment, and the stack's id in the name of its logs", () => {
    expect(JSON.parse(String(Reflect.get(definition, 'Comment')))).toEqual({
      slicedInference: {
        ...{ version: 1, deploymentDigest: '<sha256>', threads: 1, bucket: '{Pipeline/Bucket}' },
        inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 16] }],
        outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 16] }],
      },
    });
    expect(stack.resource('Pipeline/Logs').LogGroupName).toMatch(
      /^\/aws\/vendedlogs\/states\/Stack-Pipeline-[0-9A-F]{8}-split\(\{AWS::StackId\}, \/\)\[2\]$/,
    );
  });
});

describe('small tensors', () => {
  test('are carried in variables, from the slice that computes them to the slice that reads them', async () => {
    const definition = machineOf(cold);
    const [first, second, last] = ['Slice 00', 'Slice 01', 'Slice 02'].map((state) =>
      payloadOf(definition, state),
    );
    expect(definition.States['Slice 00'].Assign).toMatchObject({
      tensors0: '{% $states.result.Payload.tensors %}',
    });
    expect(first).toMatchObject({ maxTensors: 49_152 });
    expect(first).not.toHaveProperty('tensors');
    expect(second).toMatchObject({ tensors: { 0: '{% $tensors0 %}' } });
    expect(last).toMatchObject({ tensors: { 1: '{% $tensors1 %}' } });
    expect(last).not.toHaveProperty('maxTensors');
    // They leave room for the request in the event of the last slice.
    const limitFor = (text: string): Promise<unknown> => {
      const states = { context: { Execution: { Input: { text } } } };
      return jsonata(String(second.maxTensors).slice(2, -2)).evaluate({}, { states });
    };
    expect(await limitFor('x'.repeat(131_072 - 11))).toBe(49_152);
    expect(await limitFor('x'.repeat(131_072 - 10))).toBe(0);
    expect(await limitFor('\u20ac'.repeat(43_688))).toBe(0);
  });

  test('are handed up through the outputs of branches', () => {
    const [parallel, last] = Object.values(machineOf({ ...branches, warmUp: WarmUp.NEVER }).States);
    expect(parallel.Assign).toMatchObject({
      tensors1: '{% $states.result[0].tensors1 %}',
      tensors3: '{% $states.result[1].tensors3 %}',
    });
    expect(parallel.Assign).not.toHaveProperty('tensors0');
    const [first] = parallel.Branches as StateMachineDefinition[];
    expect(payloadOf(first, 'Slice 01')).toMatchObject({ tensors: { 0: '{% $tensors0In00 %}' } });
    expect(payloadOf(first, 'Slice 01')).toHaveProperty('maxTensors');
    expect(first.States['Slice 01'].Output).toMatchObject({
      tensors1: '{% $states.result.Payload.tensors %}',
    });
    expect(last).toMatchObject({
      Arguments: { Payload: { tensors: { 1: '{% $tensors1 %}', 3: '{% $tensors3 %}' } } },
    });
  });

  test('are in S3 if they are planned to be large, or with a KMS key', () => {
    const encrypted = pipelineStack((stack) => ({ ...cold, encryptionKey: new kms.Key(stack, 'Key') }));
    for (const definition of [machineOf({ ...cold, dimensions: { batch: 1000 } }), definitionOf(encrypted)])
      expect(JSON.stringify(definition)).not.toMatch(/tensors\d|maxTensors/);
  });
});

describe('warm-ups', () => {
  test('of the later slices run in parallel with the first slice, without retries, and may fail', () => {
    const { StartAt, States } = machineOf(three);
    expect(States[StartAt]).toMatchObject({
      ...{ Type: 'Parallel', Next: 'Slice 01', Output: {} },
      Assign: { timing0: '{% $states.result[0].timing0 %}', tensors0: '{% $states.result[0].tensors0 %}' },
    });
    const started = States[StartAt].Branches as StateMachineDefinition[];
    expect(started.map((branch) => [branch.StartAt, Object.keys(branch.States)])).toEqual([
      ['Slice 00', ['Slice 00', 'Failed 00']],
      ['Warm-up 01', ['Warm-up 01', 'Warm-up 01 failed']],
      ['Warm-up 02', ['Warm-up 02', 'Warm-up 02 failed']],
    ]);
    const end = { QueryLanguage: 'JSONata', Output: {}, End: true };
    expect(started[2].States).toEqual({
      'Warm-up 02': {
        ...{ Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', ...end },
        Arguments: {
          FunctionName: '{Pipeline/slice-02/Function/CurrentVersion}',
          Payload: { ...EVENT, warmUp: true },
        },
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Warm-up 02 failed' }],
      },
      'Warm-up 02 failed': { Type: 'Pass', ...end },
    });
  });

  test.each<[string, Props, string]>([
    ['occur in Express machines by default', three, 'Warm start 00'],
    ['do not occur in Standard machines of a small model', { ...three, ...standard }, 'Slice 00'],
    ['occur with ALWAYS', { ...three, ...standard, warmUp: WarmUp.ALWAYS }, 'Warm start 00'],
    ['do not occur with a single slice', { slicing: Slicing.count(1), warmUp: WarmUp.ALWAYS }, 'Slice 00'],
  ])('%s', (_, props, start) => {
    expect(machineOf(props).StartAt).toBe(start);
  });
});

test('a single slice gets the request and returns the results', () => {
  const definition = machineOf({});
  expect(payloadOf(definition, 'Slice 00')).toMatchObject({ request: REQUEST });
  const { Output, Assign, End } = definition.States['Slice 00'];
  expect(Output).toMatchObject({ timings: '{% [$states.result.Payload.timing] %}' });
  expect([Assign, End]).toEqual([undefined, true]);
});

test('a middle slice that uses an input of the model gets the request', () => {
  const definition = machineOf({ ...lateInput, warmUp: WarmUp.NEVER });
  const states = ['Slice 00', 'Slice 01', 'Slice 02'];
  expect(states.map((state) => payloadOf(definition, state).request)).toEqual([REQUEST, REQUEST, REQUEST]);
});

test('the comment keeps tensor names with any characters', () => {
  const name = 'in"put\\{% $x %} \n${AWS::Region} é';
  const { graph } = mlp(1);
  const renamed = JSON.parse(
    JSON.stringify(graph, (_, value: unknown) => (value === 'x' ? name : value)),
  ) as typeof graph;
  const modelPath = saveModel({ graph: { ...renamed, initializer: graph.initializer ?? [] } });
  const comment: unknown = JSON.parse(String(Reflect.get(machineOf({ modelPath }), 'Comment')));
  expect(comment).toMatchObject({ slicedInference: { inputs: [{ name }] } });
});

type AslValidator = (definition: unknown) => { errorsText: () => string };
const validate = jest.requireActual<AslValidator>('asl-validator');

const shapes: [string, Props][] = [
  ['one slice', { slicing: Slicing.count(1) }],
  ['three slices without warm-ups', cold],
  ['three slices with warm-ups', { ...three, warmUp: WarmUp.ALWAYS }],
  ['eight slices', { slicing: Slicing.count(8) }],
  ['slices that are not a chain', lateInput],
  ['branches', branches],
  ['branches after a slice', { modelPath: saveModel({ graph: ensemble(3) }), slicing: Slicing.count(5) }],
];

test.each(
  Object.values(sfn.StateMachineType).flatMap((type) =>
    shapes.map(([name, props]) => [type, name, props] as const),
  ),
)(
  'the %s state machine of %s is valid, and reads no variable before it is assigned',
  (stateMachineType, _, props) => {
    const definition = machineOf({ ...props, stateMachineType });
    // The validator modifies its argument.
    expect(validate(structuredClone(definition)).errorsText()).toBe('');
    expect(unassignedVariables(definition)).toEqual([]);
  },
);

const { STANDARD, EXPRESS } = sfn.StateMachineType;
test.each([
  [
    'a Standard execution',
    STANDARD,
    'execution:machine:monday',
    '2026-01-01T00:00:00.000Z',
    'machine/monday/1767225600000',
  ],
  [
    'one that reuses its name',
    STANDARD,
    'execution:machine:monday',
    '2026-06-01T00:00:00.123Z',
    'machine/monday/1780272000123',
  ],
  ['an Express execution', EXPRESS, 'express:machine:monday:0b1c', '2026-01-01T00:00:00.000Z', 'monday/0b1c'],
])('the name of the run of %s', async (_, stateMachineType, id, StartTime, name) => {
  const definition = machineOf({ slicing: Slicing.count(1), stateMachineType });
  const source = String(payloadOf(definition, 'Slice 00').run).replace(/^\{%|%\}$/g, '');
  const Execution = { Id: `arn:aws:states:us-east-1:123456789012:${id}`, StartTime };
  expect(await jsonata(source).evaluate({}, { states: { context: { Execution } } })).toBe(name);
});
