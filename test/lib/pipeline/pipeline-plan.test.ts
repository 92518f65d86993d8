/** What the construct says of its plan: a view for apps, infos and a warning. */
import * as fs from 'node:fs';
import { type Stack, Annotations, Duration } from 'aws-cdk-lib';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  type SlicedInferencePipelineProps,
  Minimize,
  SlicedModel,
  Slicing,
  Temperature,
  TensorStore,
  WarmUp,
} from '../../../lib';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { FLOAT, floats, node, saveModel, value } from '../../support/model-builder';
import { profileOf, saveProfile } from '../../support/model-profile';
import { MLP_PATH, addPipeline, errorOf, newStack, pipelineStack } from '../../support/pipeline-stack';
import { unevenChain } from '../../support/uneven-chain';
import { writtenPlan } from '../../support/written-plan';

type Level = 'findWarning' | 'findInfo';

function messages(
  level: Level,
  props: Partial<SlicedInferencePipelineProps>,
  acknowledge: (stack: Stack) => void = () => undefined,
): string[] {
  const stack = newStack();
  addPipeline(stack, 'Pipeline', props);
  acknowledge(stack);
  return Found.fromStack(stack)
    [level]('*', Match.anyValue())
    .map(({ entry }) => entry.data as string);
}

describe('the plan of a pipeline', () => {
  it('has the slices of the plan file, and the memory of the functions', () => {
    const { pipeline, resources } = pipelineStack({ slicing: Slicing.count(3) });
    const file = JSON.parse(fs.readFileSync(pipeline.planPath, 'utf8')) as {
      slices: { weightBytes: number; readBytes: number; peakMemoryBytes: number; memoryMb: number }[];
      threads: number;
    };
    const { slices, threads, dimensions, assumedDimensions } = pipeline.plan;
    expect(slices.map(({ weightBytes, readBytes }) => [weightBytes, readBytes])).toEqual(
      file.slices.map(({ weightBytes, readBytes }) => [weightBytes, readBytes]),
    );
    expect(slices.map(({ peakMemoryBytes }) => peakMemoryBytes)).toEqual(
      file.slices.map(({ peakMemoryBytes }) => peakMemoryBytes),
    );
    expect(threads).toBe(file.threads);
    expect(dimensions).toEqual({ batch: 1 });
    expect(assumedDimensions).toEqual([]);
    const functions = Object.values(resources('AWS::Lambda::Function')).filter(
      ({ Environment }) => Environment !== undefined,
    );
    expect(functions.map(({ MemorySize }) => MemorySize)).toEqual(slices.map(({ memorySize }) => memorySize));
  });

  it('has the price and the time of runs', () => {
    const { pipeline } = pipelineStack({ slicing: Slicing.count(3) });
    const { warmRun, coldRun } = pipeline.plan;
    expect(warmRun?.costPerMillion).toBeGreaterThan(1);
    expect(warmRun?.latencyP95.toMilliseconds({ integral: false })).toBeGreaterThan(
      warmRun?.latencyP50.toMilliseconds({ integral: false }) ?? NaN,
    );
    expect(coldRun?.costPerMillion).toBeGreaterThan(warmRun?.costPerMillion ?? NaN);
  });

  it('has no price for slices that were cut before', () => {
    const { folder } = writtenPlan(compile(MLP_PATH, count(2), { dimensions: { batch: 1 } }));
    const stack = newStack();
    const { plan } = addPipeline(stack, 'Pipeline', {
      modelPath: undefined,
      dimensions: undefined,
      slicedModel: SlicedModel.fromDirectory(folder),
    });
    expect(plan.slices).toHaveLength(2);
    expect(plan.warmRun).toBeUndefined();
  });

  it('has the memory and the threads that the search chose', () => {
    const slow = saveProfile(
      profileOf(analyzeModel(MLP_PATH, { dimensions: { batch: 1 } }), { seconds: 0.2 }),
    );
    const { pipeline, resources } = pipelineStack({
      slicing: Slicing.automatic({
        minimize: Minimize.LATENCY,
        temperature: Temperature.WARM,
        profile: slow,
      }),
    });
    const { slices, threads } = pipeline.plan;
    expect(slices.map(({ memorySize }) => memorySize)).toEqual([3008]);
    expect(threads).toBe(2);
    const [slice] = Object.values(resources('AWS::Lambda::Function'));
    expect(slice).toMatchObject({ MemorySize: 3008 });
    expect(JSON.stringify(slice.Environment)).toContain('"2"');
  });
});

describe('the price in the plan follows', () => {
  const priceOf = (
    props: Partial<SlicedInferencePipelineProps> | ((stack: Stack) => Partial<SlicedInferencePipelineProps>),
  ) => {
    const { pipeline } = pipelineStack((stack) => ({
      slicing: Slicing.count(3),
      tensorsInState: false,
      ...(typeof props === 'function' ? props(stack) : props),
    }));
    const { warmRun, coldRun } = pipeline.plan;
    return [
      warmRun?.costPerMillion,
      coldRun?.costPerMillion,
      coldRun?.latencyP50.toMilliseconds({ integral: false }),
    ];
  };
  const base = priceOf({});

  it.each<[string, Partial<SlicedInferencePipelineProps>]>([
    ['stateMachineType', { stateMachineType: sfn.StateMachineType.STANDARD }],
    ['architecture', { architecture: lambda.Architecture.ARM_64 }],
    ['warmUp', { warmUp: WarmUp.NEVER }],
    ['tensorsInState', { tensorsInState: true }],
    ['tensorStore', { tensorStore: TensorStore.s3ExpressOneZone('use1-az5') }],
    ['intermediateRetention', { intermediateRetention: Duration.days(20) }],
  ])('%s', (_, props) => {
    expect(priceOf(props)).not.toEqual(base);
  });
});

describe('the construct', () => {
  it('says that Slicing.automatic makes one slice', () => {
    expect(messages('findInfo', {})).toEqual([
      expect.stringMatching(
        /^Slicing\.automatic makes one slice: one function would do: 512 MB, \$[\d.]+ instead of \$[\d.]+ a month at 10 requests an hour \(assumed; .* \[ack: cdk-sliced-inference:oneSlice\]$/,
      ),
    ]);
  });

  it('says that one function would do for a small model in several slices', () => {
    expect(messages('findInfo', { slicing: Slicing.count(4) })).toEqual([
      expect.stringMatching(
        /^the model of cost prefers one function to 4 slices: one function would do: .* \[ack: cdk-sliced-inference:oneFunction\]$/,
      ),
    ]);
  });

  it('says nothing of one slice that the user asks for', () => {
    expect(messages('findInfo', { slicing: Slicing.count(1) })).toEqual([]);
  });

  it('gives no warning for any of these', () => {
    for (const slicing of [Slicing.automatic(), Slicing.count(1), Slicing.count(4)])
      expect(messages('findWarning', { slicing })).toEqual([]);
  });

  it.each([
    ['oneSlice', Slicing.automatic()],
    ['oneFunction', Slicing.count(4)],
  ])('lets an app acknowledge %s', (id, slicing) => {
    const acknowledge = (stack: Stack): void => {
      Annotations.of(stack).acknowledgeInfo(`cdk-sliced-inference:${id}`);
    };
    expect(messages('findInfo', { slicing }, acknowledge)).toEqual([]);
  });

  it('warns of slices that do nearly nothing, and names the layer in the way', () => {
    const props = {
      modelPath: saveModel({ graph: unevenChain() }),
      slicing: Slicing.count(3),
      dimensions: undefined,
    };
    const warning = expect.stringMatching(
      /^slice \d does .* % of the work, .* \(node 'heavy' \(MatMul\) cannot be divided .*\): request fewer slices \[ack: cdk-sliced-inference:nearEmptySlices\]$/,
    ) as unknown;
    // The second time from the cache.
    for (let time = 0; time < 2; time++) expect(messages('findWarning', props)).toEqual([warning]);
    const acknowledge = (stack: Stack): void => {
      Annotations.of(stack).acknowledgeWarning('cdk-sliced-inference:nearEmptySlices', 'known');
    };
    expect(messages('findWarning', props, acknowledge)).toEqual([]);
  });

  it('warns of a profile with other sizes or another ONNX Runtime', () => {
    const analyzed = analyzeModel(MLP_PATH, { dimensions: { batch: 2 } });
    const profile = saveProfile({ ...profileOf(analyzed), onnxRuntime: '1.0.0' });
    expect(messages('findWarning', { slicing: Slicing.count(1, { profile }) })).toEqual([
      expect.stringMatching(
        /^the profile was measured under other conditions than those of the plan \(batch is 1, and was 2 in the profile; ONNX Runtime is [\d.]+, and was 1\.0\.0 in the profile\): profile the model again \[ack: cdk-sliced-inference:profileDiffers\]$/,
      ),
    ]);
  });

  describe('of a model that ONNX Runtime loads with few sizes', () => {
    /** Adds a table of `rows` positions to rows whose number `Reshape` computes. */
    const modelPath = (rows: number): string =>
      saveModel({
        graph: {
          node: [
            node('Shape', ['x'], ['shape']),
            node('Abs', ['shape'], ['computed']),
            node('Reshape', ['x', 'computed'], ['rows']),
            node('Add', ['rows', 'table'], ['y']),
          ],
          initializer: [floats('table', [rows, 8])],
          input: [value('x', FLOAT, ['height', 8])],
          output: [value('y', FLOAT, ['height', 8])],
        },
      });

    it('warns that it refuses the planned sizes', () => {
      const props = { modelPath: modelPath(4), slicing: Slicing.count(1), dimensions: { height: 5 } };
      const warning = expect.stringMatching(
        /^ONNX Runtime refuses the model with height=5, so most sizes are estimates: .*; set dimensions to sizes with which the model runs \[ack: cdk-sliced-inference:refusedDimensions\]$/,
      ) as unknown;
      expect(messages('findWarning', props)).toContainEqual(warning);
      const acknowledge = (stack: Stack): void => {
        Annotations.of(stack).acknowledgeWarning('cdk-sliced-inference:refusedDimensions', 'known');
      };
      expect(messages('findWarning', props, acknowledge)).not.toContainEqual(warning);
    });

    it('warns that it assumes other sizes than the usual ones', () => {
      const props = { modelPath: modelPath(224), slicing: Slicing.count(1), dimensions: {} };
      expect(messages('findWarning', props)).toContainEqual(
        expect.stringMatching(
          /^ONNX Runtime refuses the model with the usual height=640, so the plan assumes height=224: .* \[ack: cdk-sliced-inference:replacedDimensions\]$/,
        ),
      );
    });

    it('repeats the warning when the plan comes from the cache', () => {
      const props = { modelPath: modelPath(4), slicing: Slicing.count(1), dimensions: { height: 5 } };
      expect(messages('findWarning', props)).toEqual(messages('findWarning', props));
    });
  });

  it('takes the sizes of dimensions from the profile', () => {
    const profile = saveProfile(profileOf(analyzeModel(MLP_PATH, { dimensions: { batch: 2 } })));
    const slicing = Slicing.count(1, { profile });
    const { pipeline } = pipelineStack({ slicing, dimensions: {} });
    expect(pipeline.plan.dimensions).toEqual({ batch: 2 });
    expect(messages('findWarning', { slicing, dimensions: {} })).toEqual([]);
  });

  it('refuses the profile of another graph, and a target that no plan reaches', () => {
    const analyzed = analyzeModel(MLP_PATH, { dimensions: { batch: 1 } });
    const other = profileOf(analyzed);
    const profile = saveProfile({ ...other, model: { ...other.model, graphDigest: '0'.repeat(64) } });
    expect(errorOf(() => pipelineStack({ slicing: Slicing.count(1, { profile }) }))).toContain(
      'got a profile of another graph',
    );
    const slicing = Slicing.automatic({ maxLatency: Duration.millis(5) });
    expect(errorOf(() => pipelineStack({ slicing }))).toMatch(
      /^a run must have a p95 latency of at most 5 ms, got \d+ ms for the fastest plan, one slice of \d+ MB/,
    );
  });

  it('gives the same template and plan for the same options', () => {
    const options = { minimize: Minimize.LATENCY, requestsPerHour: 3, maxMemorySize: 2048 };
    const [one, two] = [1, 2].map(() => {
      const { template, pipeline } = pipelineStack({ slicing: Slicing.automatic(options) });
      return [JSON.stringify(template.toJSON()), JSON.stringify(pipeline.plan)];
    });
    expect(two).toEqual(one);
  });
});

test('pipelines whose plans differ in memory alone have a plan file each', () => {
  const stack = newStack();
  const [one, two] = [512, 1769].map((maxMemorySize) => {
    const seconds = maxMemorySize / 10_000;
    const profile = saveProfile(profileOf(analyzeModel(MLP_PATH, { dimensions: { batch: 1 } }), { seconds }));
    const slicing = Slicing.automatic({ minimize: Minimize.LATENCY, maxMemorySize, profile });
    return addPipeline(stack, `Pipeline${maxMemorySize}`, { slicing });
  });
  expect(one.plan.slices.map(({ memorySize }) => memorySize)).toEqual([512]);
  expect(two.plan.slices.map(({ memorySize }) => memorySize)).toEqual([1769]);
  expect(one.planPath).not.toBe(two.planPath);
});
