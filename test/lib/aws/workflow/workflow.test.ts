import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { SlicedInferencePipelineProps } from '../../../../lib';
import { Slicing, WarmUp } from '../../../../lib';
import { mlp, saveModel } from '../../../support/model-builder';
import { lateInput } from '../../../support/late-input-model';
import type { ShortTemplate } from '../../../support/pipeline-stack';
import { pipelineStack } from '../../../support/pipeline-stack';
import type { State, StateMachineDefinition } from '../../../support/unassigned-variables';
import { unassignedVariables } from '../../../support/unassigned-variables';

interface Definition extends StateMachineDefinition {
  readonly Comment: string;
  readonly QueryLanguage: string;
  readonly TimeoutSeconds: number;
}

function definitionOf({ resource }: ShortTemplate): Definition {
  const { DefinitionString } = resource('Pipeline/StateMachine');
  return JSON.parse((DefinitionString as string).replaceAll('{AWS::Partition}', 'aws')) as Definition;
}

const RUN = "{% $join($split($states.context.Execution.Id, ':')[[-2..-1]], '/') %}";
const REQUEST = '{% $states.context.Execution.Input %}';

const RETRIES = [
  {
    ErrorEquals: [
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.ClientExecutionTimeoutException',
      'Lambda.TooManyRequestsException',
    ],
    IntervalSeconds: 1,
    BackoffRate: 2,
    MaxAttempts: 6,
    MaxDelaySeconds: 20,
    JitterStrategy: 'FULL',
  },
  {
    ErrorEquals: [
      'Lambda.ResourceNotReadyException',
      'Lambda.CodeArtifactUserPendingException',
      'Lambda.ENILimitReachedException',
      'Lambda.EC2ThrottledException',
      'Lambda.EC2UnexpectedException',
      'Lambda.SubnetIPAddressLimitReachedException',
    ],
    IntervalSeconds: 5,
    BackoffRate: 1.5,
    MaxAttempts: 8,
    MaxDelaySeconds: 30,
  },
  {
    ErrorEquals: ['Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError', 'Runtime.OutOfMemory'],
    IntervalSeconds: 1,
    BackoffRate: 2,
    MaxAttempts: 2,
    JitterStrategy: 'FULL',
  },
  {
    ErrorEquals: ['WeightsCorrupt', 'SliceFailed'],
    IntervalSeconds: 1,
    MaxAttempts: 1,
    JitterStrategy: 'FULL',
  },
];

/** What every slice's task has. */
function task(slice: number, payload: object): object {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: {
      FunctionName: `{Pipeline/slice-0${slice}/Function/CurrentVersion}`,
      Payload: { version: 1, deploymentDigest: '<sha256>', run: RUN, ...payload },
    },
    Retry: RETRIES,
    Catch: [
      {
        ErrorEquals: ['States.ALL'],
        Assign: { failure: '{% $states.errorOutput %}', failedAt: { slice } },
        Next: 'Failed',
      },
    ],
  };
}

/** States without those that warm up. */
const cold = { warmUp: WarmUp.NEVER };

describe('the state machine of three slices', () => {
  const chain = pipelineStack({ slicing: Slicing.count(3), ...cold });
  const machine = chain.resource('Pipeline/StateMachine');
  const definition = definitionOf(chain);

  test('is Express, may take five minutes and speaks JSONata', () => {
    expect(machine.StateMachineType).toBe('EXPRESS');
    expect(definition.TimeoutSeconds).toBe(300);
    expect(definition.QueryLanguage).toBe('JSONata');
  });

  test('logs errors without the data of executions, and is traced', () => {
    expect(machine.LoggingConfiguration).toEqual({
      Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: '{Pipeline/Logs.Arn}' } }],
      IncludeExecutionData: false,
      Level: 'ERROR',
    });
    expect(machine.TracingConfiguration).toEqual({ Enabled: true });
  });

  test('logs into a group that is unique to this deployment of the stack, which forgets after a month', () => {
    expect(chain.resource('Pipeline/Logs')).toEqual({
      LogGroupName: expect.stringMatching(
        /^\/aws\/vendedlogs\/states\/Stack-Pipeline-[0-9A-F]{8}-split\(\{AWS::StackId\}, \/\)\[2\]$/,
      ) as string,
      RetentionInDays: 30,
    });
  });

  test('runs the slices in order and ends in one of two ways', () => {
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

  test('hands the request to the first slice and keeps its timing', () => {
    expect(definition.States['Slice 00']).toEqual({
      ...task(0, { request: REQUEST }),
      Assign: { timing0: '{% $states.result.Payload.timing %}' },
      Output: {},
      Next: 'Slice 01',
    });
  });

  test('hands the middle one nothing but the run', () => {
    expect(definition.States['Slice 01']).toEqual({
      ...task(1, {}),
      Assign: { timing1: '{% $states.result.Payload.timing %}' },
      Output: {},
      Next: 'Slice 02',
    });
  });

  test('answers with the results of the last slice and the timings of all', () => {
    expect(definition.States['Slice 02']).toEqual({
      ...task(2, { request: REQUEST }),
      Output: {
        version: 1,
        deploymentDigest: '<sha256>',
        run: RUN,
        outputs: '{% $states.result.Payload.outputs %}',
        timings: '{% [$timing0, $timing1, $states.result.Payload.timing] %}',
      },
      End: true,
    });
  });

  test("fails under the slice's error name, with what the slice said as JSON", () => {
    expect(definition.States.Failed).toEqual({
      Type: 'Fail',
      Error: '{% $failure.Error %}',
      Cause:
        "{% ( $isObject := function($text) { $type($text) = 'string' and $substring($text, 0, 2) = '{\"' and " +
        "$substring($text, -1) = '}' }; $message := $isObject($failure.Cause) ? " +
        '$parse($failure.Cause).errorMessage : $failure.Cause; $isObject($message) ? $message : ' +
        "$string($merge([$failedAt, {'message': $exists($message) ? $message : $failure.Error}])) ) %}",
    });
  });

  test('does not retry what a retry cannot mend', () => {
    const retried = RETRIES.flatMap(({ ErrorEquals }) => ErrorEquals);
    for (const final of ['InvalidInput', 'PlanChanged', 'States.ALL', 'States.TaskFailed']) {
      expect(retried).not.toContain(final);
    }
  });

  test("carries the model's signature as JSON in its comment, for clients that know its ARN alone", () => {
    expect(JSON.parse(definition.Comment)).toEqual({
      slicedInference: {
        version: 1,
        deploymentDigest: '<sha256>',
        threads: 1,
        bucket: '{Pipeline/Bucket}',
        inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 16] }],
        outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 16] }],
      },
    });
  });

  test('leaves with the stack, whatever becomes of the bucket', () => {
    for (const removalPolicy of [RemovalPolicy.RETAIN, RemovalPolicy.DESTROY]) {
      pipelineStack({ removalPolicy }).template.hasResource('AWS::StepFunctions::StateMachine', {
        DeletionPolicy: 'Delete',
        UpdateReplacePolicy: 'Delete',
      });
    }
  });
});

describe('warm-ups', () => {
  const { StartAt, States } = definitionOf(pipelineStack({ slicing: Slicing.count(3) }));
  const parallel = States[StartAt];
  const branches = parallel.Branches as StateMachineDefinition[];

  test('of the later slices come beside the first slice, and the timing of that one out of its branch', () => {
    expect(StartAt).toBe('Warm start 00');
    expect(parallel).toMatchObject({
      Type: 'Parallel',
      Next: 'Slice 01',
      Assign: { timing0: '{% $states.result[0].timing0 %}' },
      Output: {},
    });
    expect(branches.map((branch) => [branch.StartAt, Object.keys(branch.States)])).toEqual([
      ['Slice 00', ['Slice 00', 'Failed 00']],
      ['Warm-up 01', ['Warm-up 01', 'Warm-up 01 failed']],
      ['Warm-up 02', ['Warm-up 02', 'Warm-up 02 failed']],
    ]);
  });

  test('call the version that the slice itself is called by, once, and end well whatever becomes of them', () => {
    expect(branches[2].States).toEqual({
      'Warm-up 02': {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Arguments: {
          FunctionName: '{Pipeline/slice-02/Function/CurrentVersion}',
          Payload: { version: 1, deploymentDigest: '<sha256>', run: RUN, warmUp: true },
        },
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Warm-up 02 failed' }],
        QueryLanguage: 'JSONata',
        Output: {},
        End: true,
      },
      'Warm-up 02 failed': { Type: 'Pass', QueryLanguage: 'JSONata', Output: {}, End: true },
    });
  });

  const startOf = (props: Partial<SlicedInferencePipelineProps>): string =>
    definitionOf(pipelineStack({ slicing: Slicing.count(3), ...props })).StartAt;
  const standard = { stateMachineType: sfn.StateMachineType.STANDARD };

  test.each<[string, Partial<SlicedInferencePipelineProps>, string]>([
    ['in Express machines', {}, 'Warm start 00'],
    ['in Express machines that are told so', { warmUp: WarmUp.AUTOMATIC }, 'Warm start 00'],
    ['not in Standard machines of a small model', standard, 'Slice 00'],
    ['in Standard machines that must', { ...standard, warmUp: WarmUp.ALWAYS }, 'Warm start 00'],
    ['not where they must not', { warmUp: WarmUp.NEVER }, 'Slice 00'],
    ['not with a single slice', { slicing: Slicing.count(1), warmUp: WarmUp.ALWAYS }, 'Slice 00'],
  ])('are there %s', (_, props, start) => {
    expect(startOf(props)).toBe(start);
  });
});

test('a single slice gets the request and gives the results', () => {
  const { States } = definitionOf(pipelineStack());
  expect(States['Slice 00']).toMatchObject({
    Arguments: { Payload: { request: REQUEST } },
    Output: { timings: '{% [$states.result.Payload.timing] %}' },
    End: true,
  });
  expect(States['Slice 00']).not.toHaveProperty('Assign');
});

test('a middle slice that uses an input of the model gets the request', () => {
  const { States } = definitionOf(pipelineStack({ ...lateInput, ...cold }));
  const requests = Object.values(States).map(({ Arguments }) => {
    const { Payload } = (Arguments ?? {}) as { Payload?: { request?: string } };
    return Payload?.request;
  });
  expect(requests).toEqual([REQUEST, REQUEST, REQUEST, undefined]);
});

test('type and timeout are props', () => {
  const standard = pipelineStack({
    stateMachineType: sfn.StateMachineType.STANDARD,
    timeout: Duration.hours(2),
  });
  expect(standard.resource('Pipeline/StateMachine').StateMachineType).toBe('STANDARD');
  expect(definitionOf(standard).TimeoutSeconds).toBe(7200);
});

test('names of tensors survive in the comment, whatever characters they have', () => {
  const name = 'in"put\\{% $x %} \n${AWS::Region} é';
  const model = mlp(1);
  const graph = JSON.parse(
    JSON.stringify(model.graph, (_, value: unknown) => (value === 'x' ? name : value)),
  ) as typeof model.graph;
  const { initializer = [] } = model.graph;
  const { Comment } = definitionOf(
    pipelineStack({ modelPath: saveModel({ graph: { ...graph, initializer } }) }),
  );
  expect(JSON.parse(Comment)).toMatchObject({ slicedInference: { inputs: [{ name }] } });
});

type AslValidator = (definition: unknown) => { isValid: boolean; errorsText: () => string };
const validate = jest.requireActual<AslValidator>('asl-validator');

describe.each([
  ['Express', sfn.StateMachineType.EXPRESS],
  ['Standard', sfn.StateMachineType.STANDARD],
])('%s', (_, stateMachineType) => {
  const shapes: [string, Partial<SlicedInferencePipelineProps>][] = [
    ['one slice', { slicing: Slicing.count(1) }],
    ['three slices without warm-ups', { slicing: Slicing.count(3), ...cold }],
    ['three slices with warm-ups', { slicing: Slicing.count(3), warmUp: WarmUp.ALWAYS }],
    ['eight slices', { slicing: Slicing.count(8) }],
    ['slices that are no chain', lateInput],
  ];

  test.each(shapes)('%s make a valid definition', (__, props) => {
    const definition = definitionOf(pipelineStack({ ...props, stateMachineType }));
    // The validator writes into what it is given.
    const { isValid, errorsText } = validate(structuredClone(definition));
    expect(errorsText()).toBe('');
    expect(isValid).toBe(true);
  });

  test.each(shapes)('%s read no variable before it is assigned', (__, props) => {
    const definition = definitionOf(pipelineStack({ ...props, stateMachineType }));
    expect(unassignedVariables(definition)).toEqual([]);
  });
});

test('a definition that reads a variable too early would be found', () => {
  const { StartAt, States } = definitionOf(pipelineStack({ slicing: Slicing.count(3), ...cold }));
  const { Assign, ...without } = States['Slice 00'];
  expect(Assign).toBeDefined();
  const broken: Record<string, State> = { ...States, 'Slice 00': without };
  expect(unassignedVariables({ StartAt, States: broken })).toEqual(['Slice 02: timing0']);
});
