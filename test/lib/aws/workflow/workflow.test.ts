import { boundedRequest } from '../../../../lib/aws/workflow/bounded-request';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as kms from 'aws-cdk-lib/aws-kms';
import jsonata from 'jsonata';
import { type SlicedInferencePipelineProps, Slicing, WarmUp } from '../../../../lib';
import { ensemble, twoTowers } from '../../../support/towers';
import { mlp, saveModel } from '../../../support/model-builder';
import { lateInput } from '../../../support/late-input-model';
import { type ShortTemplate, pipelineStack } from '../../../support/pipeline-stack';
import { type StateMachineDefinition, unassignedVariables } from '../../../support/unassigned-variables';

interface Definition extends StateMachineDefinition {
  readonly Comment: string;
  readonly QueryLanguage: string;
  readonly TimeoutSeconds: number;
}

function definitionOf({ resource }: ShortTemplate): Definition {
  const { DefinitionString } = resource('Pipeline/StateMachine');
  return JSON.parse((DefinitionString as string).replaceAll('{AWS::Partition}', 'aws')) as Definition;
}

const EXECUTION_ARN = '{% $states.context.Execution.Id %}';
const RUN = "{% $join($split($states.context.Execution.Id, ':')[[-2..-1]], '/') %}";
const REQUEST = boundedRequest('$states.context.Execution.Input');

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
    MaxAttempts: 13,
    MaxDelaySeconds: 20,
    JitterStrategy: 'FULL',
  },
  {
    ErrorEquals: [
      'Lambda.ResourceConflictException',
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
    ErrorEquals: [
      'Lambda.Unknown',
      'Sandbox.Timedout',
      'Runtime.ExitError',
      'Runtime.OutOfMemory',
      'StorageUnavailable',
    ],
    IntervalSeconds: 1,
    BackoffRate: 2,
    MaxAttempts: 2,
    JitterStrategy: 'FULL',
  },
  {
    ErrorEquals: ['WeightsCorrupt', 'CorruptTensor', 'SliceFailed'],
    IntervalSeconds: 1,
    MaxAttempts: 1,
    JitterStrategy: 'FULL',
  },
];

/** Returns what every slice's task has in common. */
function task(slice: number, payload: object): object {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: {
      FunctionName: `{Pipeline/slice-0${slice}/Function/CurrentVersion}`,
      Payload: {
        version: 1,
        deploymentDigest: '<sha256>',
        run: RUN,
        executionArn: EXECUTION_ARN,
        ...payload,
      },
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

/** Without warm-up states. */
const cold = { warmUp: WarmUp.NEVER };

describe('the state machine of three slices with their tensors in S3', () => {
  const chain = pipelineStack({ slicing: Slicing.count(3), ...cold, tensorsInState: false });
  const machine = chain.resource('Pipeline/StateMachine');
  const definition = definitionOf(chain);

  test('is an Express machine in JSONata with a timeout of five minutes', () => {
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

  test('logs into a log group whose name contains the stack id, with a retention of a month', () => {
    expect(chain.resource('Pipeline/Logs')).toEqual({
      LogGroupName: expect.stringMatching(
        /^\/aws\/vendedlogs\/states\/Stack-Pipeline-[0-9A-F]{8}-split\(\{AWS::StackId\}, \/\)\[2\]$/,
      ) as string,
      RetentionInDays: 30,
    });
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

  test('sends the request to the first slice, and assigns its timing', () => {
    expect(definition.States['Slice 00']).toEqual({
      ...task(0, { request: REQUEST }),
      Assign: { timing0: '{% $states.result.Payload.timing %}' },
      Output: {},
      Next: 'Slice 01',
    });
  });

  test('sends no request to the middle slice', () => {
    expect(definition.States['Slice 01']).toEqual({
      ...task(1, {}),
      Assign: { timing1: '{% $states.result.Payload.timing %}' },
      Output: {},
      Next: 'Slice 02',
    });
  });

  test('outputs the results of the last slice and the timings of all', () => {
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

  test("fails with the slice's error name, and its message as JSON", () => {
    expect(definition.States.Failed).toEqual({
      Type: 'Fail',
      Error: '{% $failure.Error %}',
      // failure.test.ts evaluates it.
      Cause: expect.stringContaining('$failure.Cause') as string,
    });
  });

  test('leaves failures to Step Functions if it is a Standard machine, so that a redrive runs the task again', () => {
    const standard = definitionOf(
      pipelineStack({ slicing: Slicing.count(3), ...cold, stateMachineType: sfn.StateMachineType.STANDARD }),
    );
    for (const [name, { Type, Catch }] of Object.entries(standard.States)) {
      expect([name, Type, Catch]).toEqual([name, 'Task', undefined]);
    }
  });

  test('does not retry errors that a retry cannot fix', () => {
    const retried = RETRIES.flatMap(({ ErrorEquals }) => ErrorEquals);
    for (const final of ['InvalidInput', 'PlanChanged', 'States.ALL', 'States.TaskFailed']) {
      expect(retried).not.toContain(final);
    }
  });

  test("has the model's signature as JSON in its comment, for clients that know only its ARN", () => {
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

  test('is deleted with the stack, for any removalPolicy', () => {
    for (const removalPolicy of [RemovalPolicy.RETAIN, RemovalPolicy.DESTROY]) {
      pipelineStack({ removalPolicy }).template.hasResource('AWS::StepFunctions::StateMachine', {
        DeletionPolicy: 'Delete',
        UpdateReplacePolicy: 'Delete',
      });
    }
  });
});

describe('the state machine of three slices that hand on small tensors', () => {
  const { States } = definitionOf(pipelineStack({ slicing: Slicing.count(3), ...cold }));
  const payloadOf = (state: string) => (States[state].Arguments as { Payload: object }).Payload;

  test('carries them in variables, from the slice that computes them to the slice that reads them', () => {
    expect(payloadOf('Slice 00')).toMatchObject({ maxTensors: 49_152 });
    expect(payloadOf('Slice 00')).not.toHaveProperty('tensors');
    expect(States['Slice 00'].Assign).toEqual({
      timing0: '{% $states.result.Payload.timing %}',
      tensors0: '{% $states.result.Payload.tensors %}',
    });
    expect(payloadOf('Slice 01')).toMatchObject({ tensors: { 0: '{% $tensors0 %}' } });
    expect(payloadOf('Slice 02')).toMatchObject({ tensors: { 1: '{% $tensors1 %}' } });
    expect(payloadOf('Slice 02')).not.toHaveProperty('maxTensors');
  });

  test('leaves room for the request in the event of the last slice', async () => {
    const { maxTensors } = payloadOf('Slice 01') as { maxTensors: string };
    const limitFor = (request: object): Promise<unknown> =>
      jsonata(maxTensors.slice(2, -2)).evaluate(
        {},
        { states: { context: { Execution: { Input: request } } } },
      );
    expect(await limitFor({ text: 'x'.repeat(131_072 - 11) })).toBe(49_152);
    expect(await limitFor({ text: 'x'.repeat(131_072 - 10) })).toBe(0);
    expect(await limitFor({ text: '\u20ac'.repeat(43_688) })).toBe(0);
  });

  test('has no variables for tensors that are planned to be large, or with a KMS key', () => {
    const large = { slicing: Slicing.count(3), ...cold, dimensions: { batch: 1000 } };
    expect(JSON.stringify(definitionOf(pipelineStack(large)))).not.toMatch(/tensors\d|maxTensors/);
    const encrypted = definitionOf(
      pipelineStack((stack) => ({
        slicing: Slicing.count(3),
        ...cold,
        encryptionKey: new kms.Key(stack, 'Key'),
      })),
    );
    expect(JSON.stringify(encrypted)).not.toMatch(/tensors\d|maxTensors/);
  });

  test('hands them up through the outputs of branches', () => {
    const file = saveModel({ graph: twoTowers() });
    const { States: all } = definitionOf(
      pipelineStack({ modelPath: file, slicing: Slicing.count(5), ...cold }),
    );
    const [parallel, last] = Object.values(all).filter(({ Type }) => Type !== 'Fail');
    expect(parallel.Assign).toMatchObject({
      tensors1: '{% $states.result[0].tensors1 %}',
      tensors3: '{% $states.result[1].tensors3 %}',
    });
    expect(parallel.Assign).not.toHaveProperty('tensors0');
    const [first] = parallel.Branches as StateMachineDefinition[];
    expect(first.States['Slice 01']).toMatchObject({
      Arguments: {
        Payload: { tensors: { 0: '{% $tensors0In00 %}' }, maxTensors: expect.anything() as unknown },
      },
      Output: { tensors1: '{% $states.result.Payload.tensors %}' },
    });
    expect(last).toMatchObject({
      Arguments: { Payload: { tensors: { 1: '{% $tensors1 %}', 3: '{% $tensors3 %}' } } },
    });
  });
});

describe('warm-ups', () => {
  const { StartAt, States } = definitionOf(pipelineStack({ slicing: Slicing.count(3) }));
  const parallel = States[StartAt];
  const branches = parallel.Branches as StateMachineDefinition[];

  test('of the later slices run in parallel with the first slice, whose branch outputs its timing', () => {
    expect(StartAt).toBe('Warm start 00');
    expect(parallel).toMatchObject({
      Type: 'Parallel',
      Next: 'Slice 01',
      Assign: {
        timing0: '{% $states.result[0].timing0 %}',
        tensors0: '{% $states.result[0].tensors0 %}',
      },
      Output: {},
    });
    expect(branches.map((branch) => [branch.StartAt, Object.keys(branch.States)])).toEqual([
      ['Slice 00', ['Slice 00', 'Failed 00']],
      ['Warm-up 01', ['Warm-up 01', 'Warm-up 01 failed']],
      ['Warm-up 02', ['Warm-up 02', 'Warm-up 02 failed']],
    ]);
  });

  test('call the same version as the slice, without retries, and ignore failures', () => {
    expect(branches[2].States).toEqual({
      'Warm-up 02': {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Arguments: {
          FunctionName: '{Pipeline/slice-02/Function/CurrentVersion}',
          Payload: {
            version: 1,
            deploymentDigest: '<sha256>',
            run: RUN,
            executionArn: EXECUTION_ARN,
            warmUp: true,
          },
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
    ['occur in Express machines by default', {}, 'Warm start 00'],
    ['occur in Express machines with AUTOMATIC', { warmUp: WarmUp.AUTOMATIC }, 'Warm start 00'],
    ['do not occur in Standard machines of a small model', standard, 'Slice 00'],
    ['occur in Standard machines with ALWAYS', { ...standard, warmUp: WarmUp.ALWAYS }, 'Warm start 00'],
    ['do not occur with NEVER', { warmUp: WarmUp.NEVER }, 'Slice 00'],
    ['do not occur with a single slice', { slicing: Slicing.count(1), warmUp: WarmUp.ALWAYS }, 'Slice 00'],
  ])('%s', (_, props, start) => {
    expect(startOf(props)).toBe(start);
  });
});

test('a single slice gets the request and returns the results', () => {
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

test('stateMachineType and timeout configure the state machine', () => {
  const standard = pipelineStack({
    stateMachineType: sfn.StateMachineType.STANDARD,
    timeout: Duration.hours(2),
  });
  expect(standard.resource('Pipeline/StateMachine').StateMachineType).toBe('STANDARD');
  expect(definitionOf(standard).TimeoutSeconds).toBe(7200);
});

test('the comment keeps tensor names with any characters', () => {
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
])('the %s state machine', (_, stateMachineType) => {
  const shapes: [string, Partial<SlicedInferencePipelineProps>][] = [
    ['of one slice', { slicing: Slicing.count(1) }],
    ['of three slices without warm-ups', { slicing: Slicing.count(3), ...cold }],
    ['of three slices with warm-ups', { slicing: Slicing.count(3), warmUp: WarmUp.ALWAYS }],
    ['of eight slices', { slicing: Slicing.count(8) }],
    ['of slices that are not a chain', lateInput],
    ['of branches', { modelPath: saveModel({ graph: twoTowers() }), slicing: Slicing.count(5) }],
    [
      'of branches after a slice',
      { modelPath: saveModel({ graph: ensemble(3) }), slicing: Slicing.count(5) },
    ],
  ];

  test.each(shapes)('%s has a valid definition', (__, props) => {
    const definition = definitionOf(pipelineStack({ ...props, stateMachineType }));
    // The validator modifies its argument.
    const { isValid, errorsText } = validate(structuredClone(definition));
    expect(errorsText()).toBe('');
    expect(isValid).toBe(true);
  });

  test.each(shapes)('%s reads no variable before it is assigned', (__, props) => {
    const definition = definitionOf(pipelineStack({ ...props, stateMachineType }));
    expect(unassignedVariables(definition)).toEqual([]);
  });
});

describe('the name of a run', () => {
  /** Evaluates the expression that the first task of a pipeline sends as the run's name. */
  async function nameOf(type: sfn.StateMachineType, execution: { Id: string; StartTime: string }) {
    const { States, StartAt } = definitionOf(
      pipelineStack({ modelPath: saveModel(mlp(1)), slicing: Slicing.count(1), stateMachineType: type }),
    ) as unknown as { StartAt: string; States: Record<string, { Arguments: { Payload: { run: string } } }> };
    const source = States[StartAt].Arguments.Payload.run.replace(/^\{%|%\}$/g, '');
    return (await jsonata(source).evaluate({}, { states: { context: { Execution: execution } } })) as string;
  }

  const STANDARD = 'arn:aws:states:us-east-1:123456789012:execution:machine:monday';
  const EXPRESS = 'arn:aws:states:us-east-1:123456789012:express:machine:monday:0b1c';

  test('differs when a Standard execution reuses the name of an earlier one', async () => {
    const names = ['2026-01-01T00:00:00.000Z', '2026-06-01T00:00:00.123Z'].map((StartTime) =>
      nameOf(sfn.StateMachineType.STANDARD, { Id: STANDARD, StartTime }),
    );
    expect(await Promise.all(names)).toEqual([
      'machine/monday/1767225600000',
      'machine/monday/1780272000123',
    ]);
  });

  test('ends with the UUID of an Express execution', async () => {
    const execution = { Id: EXPRESS, StartTime: '2026-01-01T00:00:00.000Z' };
    expect(await nameOf(sfn.StateMachineType.EXPRESS, execution)).toBe('monday/0b1c');
  });
});
