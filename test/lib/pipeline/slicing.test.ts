/** The factories of `Slicing`: each reaches its slicer, and each option the search or the model of cost. */
import { Duration, Size } from 'aws-cdk-lib';
import {
  type AutomaticSlicingOptions,
  LatencyPercentile,
  Minimize,
  Slicing,
  Temperature,
} from '../../../lib';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { fileWith } from '../../support/changed-json';
import { MLP_PATH, errorOf } from '../../support/pipeline-stack';
import { writtenPlan } from '../../support/written-plan';

/** Four layers of the nodes MatMul, Add and Tanh, with 1 KiB of weights each. The tensors t0 to t2 are between layers. */
const analyzed = analyzeModel(MLP_PATH, { dimensions: { batch: 1 } });
const compiled = (slicing: Slicing) => compileAnalyzed(analyzed, slicing._slicer());

function nodeCounts(slicing: Slicing): number[] {
  return compiled(slicing).plan.slices.map(({ nodes }) =>
    nodes.reduce((sum, [first, last]) => sum + last - first + 1, 0),
  );
}

test.each<[string, Slicing, number[]]>([
  ['automatic', Slicing.automatic(), [12]],
  ['count', Slicing.count(12), Array<number>(12).fill(1)],
  ['maxSliceSize of all', Slicing.maxSliceSize(Size.mebibytes(1)), [12]],
  ['atTensors', Slicing.atTensors(['t0']), [3, 9]],
  ['atTensors in any order', Slicing.atTensors(['t2', 't0']), [3, 6, 3]],
  ['fromPlan', Slicing.fromPlan(writtenPlan(compiled(Slicing.atTensors(['t0', 't2']))).file), [3, 6, 3]],
])('%s cuts the model', (_, slicing, expected) => {
  expect(nodeCounts(slicing)).toEqual(expected);
});

it.each<[string, AutomaticSlicingOptions, object]>([
  ['its defaults', {}, { minimize: 'slices', quantile: 'p95', temperature: 'mixed', maxMemoryMb: 3008 }],
  [
    'each option',
    {
      minimize: Minimize.COST,
      maxLatency: Duration.millis(1500),
      latencyPercentile: LatencyPercentile.P50,
      maxCostPerMillion: 20,
      maxMemorySize: 1024,
      requestsPerHour: 60,
      temperature: Temperature.COLD,
    },
    {
      ...{ minimize: 'cost', maxLatencyMs: 1500, quantile: 'p50', maxDollars: 20 / 1e6 },
      ...{ maxMemoryMb: 1024, requestsPerHour: 60, temperature: 'cold' },
    },
  ],
])('Slicing.automatic passes %s to the search', (_, options, goal) => {
  expect(Slicing.automatic(options)._slicer().goal).toEqual(goal);
});

it('Slicing.automatic gives each choice a key of its own', () => {
  const latencyPercentile = LatencyPercentile.P50;
  const choices: AutomaticSlicingOptions[] = [
    {},
    { minimize: Minimize.COST },
    { minimize: Minimize.LATENCY },
    { minimize: Minimize.LATENCY, latencyPercentile },
    { maxLatency: Duration.seconds(2) },
    { maxLatency: Duration.seconds(2), latencyPercentile },
    { maxCostPerMillion: 5 },
    { maxMemorySize: 2048 },
    { requestsPerHour: 5 },
    { temperature: Temperature.WARM },
  ];
  const keys = choices.map((options) => Slicing.automatic(options)._slicer().key);
  const express = Slicing.automatic()._slicer('s3-express').key;
  expect(new Set([...keys, express]).size).toBe(choices.length + 1);
});

const prices = fileWith('{"version":1,"prices":{"lambda":{"requests":{"value":0.3,"unit":"USD/million"}}}}');
const environment = fileWith(
  '{"version":1,"environment":{"stepFunctions":{"express":{"value":[[50,18]],"unit":"ms by percent"}}}}',
);

test.each<[string, (estimates: object) => Slicing]>([
  ['Slicing.automatic', (estimates) => Slicing.automatic(estimates)],
  ['Slicing.count', (estimates) => Slicing.count(2, estimates)],
  ['Slicing.maxSliceSize', (estimates) => Slicing.maxSliceSize(Size.mebibytes(1), estimates)],
  ['Slicing.atTensors', (estimates) => Slicing.atTensors(['t0'], estimates)],
  ['Slicing.fromPlan', (estimates) => Slicing.fromPlan('plan.json', estimates)],
])('%s reads its estimates from the files that its options name', (_, make) => {
  expect(make({})._estimates()).toEqual({ costs: {}, splits: {} });
  const own = { prices, environment, requestsPerHour: 7, splits: { w: 2 }, splitLargeOperators: false };
  const { costs, splits } = make(own)._estimates();
  expect(splits).toEqual({ named: { w: 2 }, others: false });
  expect(costs.requestsPerHour).toBe(7);
  expect(costs.prices?.lambda.requests).toBe(0.3);
  expect(costs.environment?.stepFunctions.express).toEqual([[50, 18]]);
  for (const name of ['prices', 'environment'])
    expect(errorOf(() => make({ [name]: fileWith('no') })._estimates())).toContain(name);
});
