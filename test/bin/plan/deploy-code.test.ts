/** The code that `plan` prints has the flags with which it was planned. */
import { deployLines } from '../../../bin/plan/deploy-code';
import type { PlanReport } from '../../../bin/plan/plan-report';
import type { PlanOptions } from '../../../bin/plan/report/assemble-report';

const DEFAULTS = {
  ...{ consolidation: 'automatic', optimize: 'none', dimension: {}, split: {}, splitLargeOperators: true },
  ...{ concurrency: 100, requests: 'objects', warmUp: true },
} as const satisfies PlanOptions;

function codeOf(choice: PlanReport['choice'], options: Partial<PlanOptions>): string {
  const report = {
    model: { dimensions: [{ name: 'batch', size: 1 }] },
    alternatives: [{ id: 'slices' }, { id: 'one-function', memoryMb: 1769 }],
    choice,
  } as unknown as PlanReport;
  const lines = deployLines('m.onnx', report, { ...DEFAULTS, ...options });
  return lines.map((line) => line.trim()).join(' ');
}

const HEAD = "(this, 'Model', { modelPath: 'm.onnx', dimensions: { batch: 1 },";

it.each<[Partial<PlanOptions>, string]>([
  [{}, ''],
  [{ architecture: 'arm64' }, ' architecture: Architecture.ARM_64,'],
  [{ optimize: 'extended' }, ' graphOptimization: GraphOptimization.EXTENDED,'],
  [{ prepacking: 'never' }, ' prepacking: Prepacking.NEVER,'],
])('with %j, both constructs have%s', (options, props) => {
  expect(codeOf('one-function', options)).toBe(`new InferenceFunction${HEAD}${props} memorySize: 1769, });`);
  expect(codeOf('slices', options)).toBe(`new SlicedInferencePipeline${HEAD}${props} });`);
});

it.each<[Partial<PlanOptions>, string]>([
  [{ slices: 3 }, 'slicing: Slicing.count(3),'],
  [{ slices: 3, requestsPerHour: 60 }, 'slicing: Slicing.count(3, { requestsPerHour: 60 }),'],
  [{ maxSliceSize: 2 ** 20 }, 'slicing: Slicing.maxSliceSize(Size.bytes(1048576)),'],
  [{ atTensors: ['a,b', "it's"] }, `slicing: Slicing.atTensors(['a', 'b', "it's"]),`],
  [{ slicingPlan: 'plan.json' }, "slicing: Slicing.fromPlan('plan.json'),"],
  [
    { minimize: 'cost', maxLatency: 2000, maxMemory: 1024 },
    'slicing: Slicing.automatic({ minimize: Minimize.COST, maxLatency: Duration.millis(2000), maxMemorySize: 1024, }),',
  ],
  [{ split: { w: 2 } }, 'slicing: Slicing.automatic({ splits: { w: 2 } }),'],
  [
    { stateMachine: 'standard', warmUp: false },
    'stateMachineType: StateMachineType.STANDARD, warmUp: WarmUp.NEVER,',
  ],
  [{ consolidation: 'always' }, 'consolidation: Consolidation.ALWAYS,'],
])('with %j, a pipeline has %s', (options, props) => {
  const code = codeOf('slices', options);
  expect(code).toBe(`new SlicedInferencePipeline${HEAD} ${props} });`);
});

it('says what the code of one function has not of the flags', () => {
  const cuts = '// The whole model: a SlicedInferencePipeline has the cuts of your flags. new';
  expect(codeOf('one-function', { slices: 2 })).toMatch(new RegExp(`^${cuts} InferenceFunction`));
  expect(codeOf('one-function', { minimize: 'cost', requestsPerHour: 7 })).toMatch(/^new InferenceFunction/);
  expect(codeOf('slices', { inputs: 'x.npz' })).toMatch(
    /^\/\/ The sizes are those of --inputs: slice the model with `sliced-inference slice --inputs`/,
  );
});
