/** The template of a pipeline with consolidation, and which pipelines have it. */
import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  Consolidation,
  SlicedInferenceAlarms,
  SlicedInferenceDashboard,
  Slicing,
  type SlicedInferencePipelineProps,
} from '../../../lib';
import { analyzeModel } from '../../../lib/compile/analyze';
import { bestCut } from '../../../lib/plan/best-cut';
import type { ConsolidationMode } from '../../../lib/plan/pricing/price';
import { type Slicer, automatic, count } from '../../../lib/plan/slicers';
import {
  type PipelineStack,
  type Properties,
  type StateMachineDefinition,
  definitionOf,
  pipelineStack,
} from '../../support/pipeline-stack';
import { sparseModel } from '../../support/sparse-model';

type Props = Partial<SlicedInferencePipelineProps>;

const four = { slicing: Slicing.count(4) };
const always = { ...four, consolidation: Consolidation.ALWAYS };

test.each<[string, Props]>([
  ['a model in one slice', {}],
  ['a model that loads at once', four],
])('%s has the template that it has without consolidation', (_, props) => {
  const never = { ...props, consolidation: Consolidation.NEVER };
  expect(pipelineStack(props).template.toJSON()).toEqual(pipelineStack(never).template.toJSON());
});

const models = new Map([2, 5, 14].map((products) => [products, analyzeModel(sparseModel(products))]));

test.each<[string, number, Slicer, ConsolidationMode, boolean]>([
  ['1.3 GB in five slices', 5, count(5), 'automatic', true],
  ['1.3 GB in five slices', 5, count(5), 'never', false],
  ['3.8 GB, more than 3,008 MB', 14, count(14), 'automatic', false],
  ['3.8 GB, more than 3,008 MB', 14, count(14), 'always', true],
  ['1.3 GB within 1,024 MB', 5, automatic({ maxMemorySize: 1024 }), 'automatic', false],
])('the decision of %s (%d weights of 256 MiB)', (_, products, slicer, mode, expected) => {
  const analyzed = models.get(products);
  if (!analyzed) throw new Error('no such model');
  expect(bestCut(analyzed.dataflow, analyzed.cuts, slicer, mode).whole !== undefined).toBe(expected);
});

describe('with consolidation', () => {
  let stack: PipelineStack;
  let without: PipelineStack;
  beforeAll(() => {
    stack = pipelineStack(always, (pipeline, scope) => {
      new SlicedInferenceDashboard(scope, 'Dashboard', { pipelines: [pipeline] });
      new SlicedInferenceAlarms(scope, 'Alarms', { pipeline });
    });
    without = pipelineStack(four);
  });

  const variables = (of: PipelineStack, name: string): Properties =>
    (of.resource(`Pipeline/${name}/Function`).Environment as { Variables: Properties }).Variables;

  it('has the slices that it has without, and one function with the whole model', () => {
    const functions = (of: PipelineStack) => Object.keys(of.resources('AWS::Lambda::Function'));
    expect(functions(stack)).toEqual([...functions(without), 'Pipeline/whole/Function']);
    expect(stack.pipeline.functions).toHaveLength(4);
    expect(stack.pipeline.wholeFunction?.node.path).toBe('Stack/Pipeline/whole/Function');
    expect(without.pipeline.wholeFunction).toBeUndefined();
    expect(stack.pipeline.plan.slices).toEqual(without.pipeline.plan.slices);
    expect(stack.pipeline.plan.whole?.weightBytes).toBeGreaterThan(0);
    expect(without.pipeline.plan.whole).toBeUndefined();
    expect(stack.resource('Pipeline/whole/Function').Description).toBe('The whole of model.onnx');
  });

  it('has one deployment and one number of threads, and a key by which the loaders claim the load', () => {
    const [slice, whole] = [variables(stack, 'slice-00'), variables(stack, 'whole')];
    for (const same of ['SLICE_THREADS', 'SLICE_DEPLOYMENT_DIGEST', 'SLICE_BUCKET'])
      expect(whole[same]).toEqual(slice[same]);
    expect(whole.SLICE_LOADER_KEY).toMatch(
      /^runs\/loader-[0-9a-f]{42}-split\(\{AWS::StackId\}, \/\)\[2\]-<sha256>\.json$/,
    );
    expect(slice.SLICE_LOADER_KEY).toBeUndefined();
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

  it('shows the whole model in dashboards and alarms', () => {
    const [{ DashboardBody: body }] = Object.values(stack.resources('AWS::CloudWatch::Dashboard'));
    expect(String(body).match(/"label":"whole"/g)).toHaveLength(4);
    expect(
      Object.keys(stack.resources('AWS::CloudWatch::Alarm')).map((path) => path.replace('Alarms/', '')),
    ).toEqual([...['Failed', 'TimedOut', 'Throttled', 'WholeFails']]);
  });

  it('loads after the smallest slice of those that warm up', () => {
    // One layer, two and one.
    const slicing = Slicing.atTensors(['t0', 't2']);
    const { Branches = [] } = definitionOf(pipelineStack({ ...always, slicing })).States['Warm start 00'];
    const tasks = Branches.map(({ States }) => Object.keys(States).filter((name) => !/failed/i.test(name)));
    expect(tasks).toEqual([['Slice 00'], ['Warm-up 01'], ['Warm-up 02', 'Load whole model']]);
  });
});

test.each<[string, Props, number, string]>([
  ['at least that of the plan', {}, 512, '1'],
  ['at least that of all slices', { sliceFunctions: { memorySize: 2048 } }, 2048, '2'],
  // Both ways must return the same bits, so the slices have its threads too.
  ['that of its own override', { sliceFunctionOverrides: { whole: { memorySize: 3008 } } }, 3008, '2'],
])('the memory of the whole model is %s', (_, props, memory, threads) => {
  const { resource, resources } = pipelineStack({ ...always, ...props });
  expect(resource('Pipeline/whole/Function').MemorySize).toBe(memory);
  const variables = { SLICE_THREADS: threads };
  expect(Object.values(resources('AWS::Lambda::Function'))).toMatchObject(
    Array<unknown>(5).fill({ Environment: { Variables: variables } }),
  );
});

test('a Standard machine has the time for all functions, whose timeouts the user may set', () => {
  const stateMachineType = sfn.StateMachineType.STANDARD;
  const sliceFunctions = { timeout: Duration.minutes(10) };
  const definition = definitionOf(
    pipelineStack({ slicing: Slicing.count(3), stateMachineType, sliceFunctions }),
  );
  expect(Reflect.get(definition, 'TimeoutSeconds')).toBe(1800);
});

test('a Standard machine has the time for the question too', () => {
  const stateMachineType = sfn.StateMachineType.STANDARD;
  const machineOf = (consolidation: Consolidation) =>
    definitionOf(pipelineStack({ slicing: Slicing.count(8), stateMachineType, consolidation }));
  const timeoutOf = (definition: StateMachineDefinition) =>
    Reflect.get(definition, 'TimeoutSeconds') as number;
  const [never, asking] = [Consolidation.NEVER, Consolidation.ALWAYS].map(machineOf);
  expect(timeoutOf(never)).toBeGreaterThan(300);
  const { TimeoutSeconds: wait } = asking.States['Ask whole model'];
  expect(timeoutOf(asking)).toBe(timeoutOf(never) + (wait as number));
});
