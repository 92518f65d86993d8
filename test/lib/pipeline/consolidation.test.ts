/** The template of a pipeline with consolidation, and which pipelines have it. */
import { Duration, Size, Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Annotations as Found, Match, Template } from 'aws-cdk-lib/assertions';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  Consolidation,
  SlicedInferenceAlarms,
  SlicedInferenceDashboard,
  Slicing,
  SlicedModel,
  WarmUp,
  type SlicedInferencePipelineProps,
} from '../../../lib';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { writeSlices } from '../../../lib/emit/write';
import { bestCut } from '../../../lib/plan/best-cut';
import type { ConsolidationMode } from '../../../lib/plan/pricing/whole-model';
import { type Slicer, automatic, count } from '../../../lib/plan/slicers';
import { Template as LocalTemplate } from '../../../local/cloudformation/template';
import { temporaryFolder } from '../../support/model-builder';
import {
  type PipelineStack,
  type Properties,
  addPipeline,
  errorOf,
  MLP_PATH,
  newApp,
  newStack,
  pipelineStack,
} from '../../support/pipeline-stack';
import { sparseModel } from '../../support/sparse-model';

const CLAIM = /^runs\/loader-[0-9a-f]{42}-split\(\{AWS::StackId\}, \/\)\[2\]-<sha256>\.json$/;

const four = { slicing: Slicing.count(4) };
const always = { ...four, consolidation: Consolidation.ALWAYS };

function templateOf(props: Partial<SlicedInferencePipelineProps>): object {
  return pipelineStack(props).template.toJSON();
}

describe('by default', () => {
  it.each<[string, Partial<SlicedInferencePipelineProps>]>([
    ['a model in one slice', {}],
    ['a model that loads at once', four],
    ['float16 between slices', { ...four, float16Transport: true }],
  ])('%s has the template that it has without consolidation', (_, props) => {
    expect(templateOf(props)).toEqual(templateOf({ ...props, consolidation: Consolidation.NEVER }));
  });

  it('one slice has it even if consolidation is always on', () => {
    const never = templateOf({ consolidation: Consolidation.NEVER });
    expect(templateOf({ consolidation: Consolidation.ALWAYS })).toEqual(never);
  });
});

describe('the decision', () => {
  const models = new Map([2, 5, 14].map((products) => [products, analyzeModel(sparseModel(products))]));

  function consolidates(products: number, slicer: Slicer, mode: ConsolidationMode): boolean {
    const analyzed = models.get(products);
    if (!analyzed) throw new Error('no such model');
    return bestCut(analyzed.dataflow, analyzed.cuts, slicer, mode).whole !== undefined;
  }

  it.each<[string, number, Slicer, ConsolidationMode, boolean]>([
    ['1.3 GB in five slices', 5, count(5), 'automatic', true],
    ['1.3 GB in one slice', 5, count(1), 'automatic', false],
    ['1.3 GB in five slices', 5, count(5), 'never', false],
    ['3.8 GB, more than 3,008 MB', 14, count(14), 'automatic', false],
    ['3.8 GB, more than 3,008 MB', 14, count(14), 'always', true],
    ['3.8 GB within 10,240 MB', 14, automatic({ maxMemorySize: 10_240, slices: 14 }), 'automatic', true],
    ['1.3 GB within 1,024 MB', 5, automatic({ maxMemorySize: 1024 }), 'automatic', false],
  ])('of %s (%d weights of 256 MiB)', (_, products, slicer, mode, expected) => {
    expect(consolidates(products, slicer, mode)).toBe(expected);
  });
});

interface StateMachineJson {
  readonly StartAt: string;
  readonly States: Record<string, Properties>;
}

function statesOf(stack: PipelineStack): StateMachineJson {
  const text = stack.resource('Pipeline/StateMachine').DefinitionString as string;
  return JSON.parse(text.replaceAll('{AWS::Partition}', 'aws')) as StateMachineJson;
}

/** The tasks of each branch that starts first, in their order. */
function startedBranches(stack: PipelineStack): string[][] {
  const { Branches: branches } = statesOf(stack).States['Warm start 00'] as { Branches: StateMachineJson[] };
  return branches.map(({ StartAt: start, States: states }) => {
    const names: string[] = [];
    for (
      let name: string | undefined = start;
      name !== undefined;
      name = states[name].Next as string | undefined
    )
      names.push(name);
    return names;
  });
}

describe('with consolidation', () => {
  let stack: PipelineStack;
  let without: PipelineStack;
  beforeAll(() => {
    stack = pipelineStack(always);
    without = pipelineStack(four);
  });

  const environmentOf = (path: string): Properties =>
    (stack.resource(path).Environment as { Variables: Properties }).Variables;

  it('has the slices that it has without', () => {
    const functions = (of: PipelineStack) => Object.keys(of.resources('AWS::Lambda::Function'));
    expect(functions(stack)).toEqual([...functions(without), 'Pipeline/whole/Function']);
    expect(stack.pipeline.functions).toHaveLength(4);
    expect(stack.pipeline.wholeFunction?.node.path).toBe('Stack/Pipeline/whole/Function');
    expect(without.pipeline.wholeFunction).toBeUndefined();
    expect(stack.pipeline.plan.slices).toEqual(without.pipeline.plan.slices);
    expect(stack.pipeline.plan.whole?.weightBytes).toBeGreaterThan(0);
    expect(without.pipeline.plan.whole).toBeUndefined();
  });

  it('has one function with the whole model, of the same deployment and threads', () => {
    const [slice, whole] = ['slice-00', 'whole'].map((name) => environmentOf(`Pipeline/${name}/Function`));
    for (const same of ['SLICE_THREADS', 'SLICE_DEPLOYMENT_DIGEST', 'SLICE_BUCKET'])
      expect(whole[same]).toEqual(slice[same]);
    expect(whole.SLICE_LOADER_KEY).toMatch(CLAIM);
    expect(slice.SLICE_LOADER_KEY).toBeUndefined();
    expect(stack.resource('Pipeline/whole/Function').Description).toBe('The whole of model.onnx');
  });

  it('runs on another deployment digest than without, because a run must not mix both', () => {
    const digests = [always, four].map((props) => {
      const { template } = pipelineStack(props);
      return /"SLICE_DEPLOYMENT_DIGEST":"([0-9a-f]{64})"/.exec(JSON.stringify(template.toJSON()))?.[1];
    });
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(digests[1]).not.toBe(digests[0]);
  });

  it('drops asynchronous calls that fail or wait', () => {
    expect(Object.values(stack.resources('AWS::Lambda::EventInvokeConfig'))).toEqual([
      {
        FunctionName: '{Pipeline/whole/Function}',
        Qualifier: '{Pipeline/whole/Function/CurrentVersion.Version}',
        MaximumRetryAttempts: 0,
        MaximumEventAgeInSeconds: 60,
      },
    ]);
  });

  it('lets the function read and write exactly its objects', () => {
    const { PolicyDocument: document } = Object.entries(stack.resources('AWS::IAM::Policy'))
      .filter(([path]) => path.startsWith('Pipeline/whole/'))
      .map(([, policy]) => policy)[0] as unknown as { PolicyDocument: { Statement: Properties[] } };
    const bucket = '{Pipeline/Bucket.Arn}';
    const claim = `${bucket}/${String(environmentOf('Pipeline/whole/Function').SLICE_LOADER_KEY)}`;
    expect(document.Statement.map(({ Sid, Action, Resource }) => [Sid, Action, Resource])).toEqual([
      ['ReadSlice', 's3:GetObject', expect.any(Array)],
      ['WriteTensors', 's3:PutObject', [`${bucket}/outputs/*.safetensors`, claim]],
      ['ReadTensors', 's3:GetObject', [`${bucket}/inputs/*`, `${bucket}/outputs/*.safetensors`, claim]],
    ]);
  });

  it('claims the load apart from a stack with the same bucket and equal construct paths', () => {
    const claimOf = (name: string): string => {
      const app = new Stack(newApp(), 'Stack', { stackName: name });
      addPipeline(app, 'Pipeline', { ...always, bucket: s3.Bucket.fromBucketName(app, 'Shared', 'shared') });
      const environment = { account: '111122223333', region: 'eu-west-1' };
      const template = new LocalTemplate({ name, environment, template: Template.fromStack(app).toJSON() });
      const texts = (type: string, property: string): string[] =>
        template
          .resourcesOfType(type)
          .flatMap((resource) => JSON.stringify(template.property(resource, property)))
          .flatMap((text) => text.match(/[\w/:.-]+\/loader-[\w.-]+/g) ?? []);
      const users = [
        ...texts('AWS::Lambda::Function', 'Environment'),
        ...texts('AWS::IAM::Policy', 'PolicyDocument'),
      ];
      const [key] = users;
      expect(users).toEqual([key, ...Array<string>(2).fill(`arn:aws:s3:::shared/${key}`)]);
      return key;
    };
    expect(claimOf('One')).not.toBe(claimOf('Two'));
  });

  it('shows the whole model in dashboards and alarms', () => {
    const { resources } = pipelineStack(always, (pipeline, scope) => {
      new SlicedInferenceDashboard(scope, 'Dashboard', { pipelines: [pipeline] });
      const { alarms } = new SlicedInferenceAlarms(scope, 'Alarms', { pipeline });
      expect(alarms.map(({ node }) => node.id)).toEqual(['Failed', 'TimedOut', 'Throttled', 'WholeFails']);
    });
    const [{ DashboardBody: body }] = Object.values(resources('AWS::CloudWatch::Dashboard'));
    expect(String(body).match(/"label":"whole"/g)).toHaveLength(4);
  });

  it('loads after one slice is warm, or beside the first slice if no slice warms up', () => {
    const branches = startedBranches(stack);
    expect(branches.map(([first]) => first)).toEqual(['Slice 00', 'Warm-up 01', 'Warm-up 02', 'Warm-up 03']);
    expect(branches.flatMap(([, ...next]) => next)).toEqual(['Load whole model']);
    expect(startedBranches(pipelineStack({ ...always, warmUp: WarmUp.NEVER }))).toEqual([
      ['Slice 00'],
      ['Load whole model'],
    ]);
  });

  it('also loads if the warm-up before it fails', () => {
    const { Branches: branches } = statesOf(stack).States['Warm start 00'] as {
      Branches: StateMachineJson[];
    };
    const [{ States: states }] = branches.filter((branch) => 'Load whole model' in branch.States);
    const next = Object.entries(states).map(([name, state]) => [
      name.replace(/\d\d/, 'N'),
      state.Next ?? 'end',
    ]);
    expect(next).toEqual(
      expect.arrayContaining([
        ['Warm-up N', 'Load whole model'],
        ['Warm-up N failed', 'Load whole model'],
        ['Load whole model', 'end'],
      ]),
    );
  });

  it('asks in one state, which ends the execution or leads to the slices', () => {
    const { States: states, StartAt: start } = statesOf(stack);
    expect(start).toBe('Ask whole model');
    const { Arguments: sent, Output: output, ...ask } = states['Ask whole model'] as Record<string, object>;
    expect(ask).toEqual({
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      TimeoutSeconds: expect.any(Number) as number,
      End: true,
      Catch: [
        {
          ErrorEquals: ['InvalidInput'],
          Assign: { failure: '{% $states.errorOutput %}', failedAt: { slice: 0 } },
          Next: 'Failed',
        },
        {
          ErrorEquals: ['States.ALL'],
          Output: {},
          Assign: { askedAt: '{% $toMillis($states.context.State.EnteredTime) %}' },
          Next: 'Warm start 00',
        },
      ],
    });
    expect(sent).toMatchObject({
      FunctionName: '{Pipeline/whole/Function/CurrentVersion}',
      Payload: { ifWarm: true, deploymentDigest: '<sha256>' },
    });
    expect(output).toMatchObject({
      servedBy: 'whole',
      outputs:
        "{% $states.result.Payload.cold ? $error('the whole model is cold, so the slices run') : $states.result.Payload.outputs %}",
    });
  });
});

describe('the memory of the whole model', () => {
  const memoryOf = (props: Partial<SlicedInferencePipelineProps>): unknown =>
    pipelineStack({ ...always, ...props }).resource('Pipeline/whole/Function').MemorySize;

  it('is at least that of the largest slice', () => {
    expect(memoryOf({})).toBe(512);
    expect(memoryOf({ sliceFunctions: { memorySize: 2048 } })).toBe(2048);
    expect(memoryOf({ sliceFunctionOverrides: { 'slice-01': { memorySize: 1024 } } })).toBe(1024);
  });

  it('is that of its own override', () => {
    expect(memoryOf({ sliceFunctionOverrides: { whole: { memorySize: 3008 } } })).toBe(3008);
  });

  it('decides about the threads of all functions, because both ways must return the same bits', () => {
    const { resources } = pipelineStack({
      ...always,
      sliceFunctionOverrides: { whole: { memorySize: 3008 } },
    });
    const threads = Object.values(resources('AWS::Lambda::Function')).map(
      ({ Environment }) => (Environment as { Variables: Properties }).Variables.SLICE_THREADS,
    );
    expect(threads).toEqual(Array(5).fill('2'));
  });
});

describe('refuses', () => {
  it('float16 between slices', () => {
    expect(errorOf(() => pipelineStack({ ...always, float16Transport: true }))).toBe(
      'Consolidation.ALWAYS must be combined with slices that send tensors unchanged, got float16Transport, with which slices ' +
        'compute other bits than the whole model: remove one of them',
    );
  });

  it('a sliced model', () => {
    const folder = temporaryFolder();
    writeSlices(compileAnalyzed(analyzeModel(MLP_PATH, { dimensions: { batch: 1 } }), count(2)), folder);
    const slicedModel = SlicedModel.fromDirectory(folder);
    const props = {
      modelPath: undefined,
      slicedModel,
      dimensions: undefined,
      consolidation: Consolidation.ALWAYS,
    };
    expect(errorOf(() => pipelineStack(props as never))).toBe(
      'Consolidation.ALWAYS must be combined with modelPath, got slicedModel, which has no files of the whole model: ' +
        'set modelPath, or leave consolidation out',
    );
  });

  it('an override of a whole model that the pipeline does not have', () => {
    const own = { whole: { ephemeralStorageSize: Size.mebibytes(512) } };
    expect(errorOf(() => pipelineStack({ ...four, sliceFunctionOverrides: own }))).toContain("got 'whole'");
  });
});

test('a Standard machine has the time for the question too', () => {
  const standard = { ...four, slicing: Slicing.count(8), stateMachineType: sfn.StateMachineType.STANDARD };
  const timeoutOf = (consolidation: Consolidation): unknown =>
    (statesOf(pipelineStack({ ...standard, consolidation })) as { TimeoutSeconds?: number }).TimeoutSeconds;
  const { TimeoutSeconds: asking } = statesOf(
    pipelineStack({ ...standard, consolidation: Consolidation.ALWAYS }),
  ).States['Ask whole model'];
  expect(timeoutOf(Consolidation.NEVER)).toBeGreaterThan(300);
  expect(timeoutOf(Consolidation.ALWAYS)).toBe(
    (timeoutOf(Consolidation.NEVER) as number) + (asking as number),
  );
});

describe('warnings', () => {
  const warnings = (props: Partial<SlicedInferencePipelineProps>): string[] => {
    const stack = newStack();
    addPipeline(stack, 'Pipeline', props);
    const found = Found.fromStack(stack).findWarning('*', Match.anyValue());
    return found.map(({ entry }) => entry.data as string);
  };

  it.each(['reservedConcurrentExecutions', 'provisionedConcurrentExecutions'])(
    'count the %s of the whole model',
    (field) => {
      const reserving = (whole: number) => ({
        ...always,
        sliceFunctions: { reservedConcurrentExecutions: 100 },
        sliceFunctionOverrides: { whole: { [field]: whole } },
      });
      expect(warnings(reserving(319))).toEqual([]);
      expect(warnings(reserving(320))).toEqual([
        expect.stringContaining('the functions of the pipeline reserve 720 concurrent executions'),
      ]);
    },
  );

  it('name a timeout that is too short to load the whole model', () => {
    const modelPath = sparseModel(2, 4096);
    const timingOut = (seconds: number) =>
      warnings({
        ...{ modelPath, slicing: Slicing.count(2), consolidation: Consolidation.ALWAYS, dimensions: {} },
        sliceFunctionOverrides: { whole: { timeout: Duration.seconds(seconds) } },
      });
    expect(timingOut(4)).toContainEqual(
      "the function of the whole model ('whole') spends about 3 seconds loading when it is cold, and its timeout is 4 seconds: " +
        'raise its timeout [ack: cdk-sliced-inference:littleFunctionTime]',
    );
    expect(timingOut(60)).toEqual([]);
  });
});
