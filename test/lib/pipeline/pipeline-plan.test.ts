/** The plan of a pipeline, as apps read it. */
import * as fs from 'node:fs';
import type { Duration } from 'aws-cdk-lib';
import { Minimize, Slicing, Temperature } from '../../../lib';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { mlp, saveModel } from '../../support/model-builder';
import { addPipeline, newStack, pipelineStack } from '../../support/pipeline-stack';

/** Its products take 0.1 s on one processor. */
const SLOW = { modelPath: saveModel(mlp(3, 800)), dimensions: { batch: 1000 } };

test('it has the slices of the plan file, the memory of the functions, and the price and the time of runs', () => {
  const { pipeline, resources } = pipelineStack({ slicing: Slicing.count(3) });
  const file = JSON.parse(fs.readFileSync(pipeline.planPath, 'utf8')) as SlicePlan;
  const { slices, threads, dimensions, assumedDimensions, warmRun, coldRun } = pipeline.plan;
  expect(slices).toEqual(
    file.slices.map(({ model, weights, weightBytes, readBytes, writeBytes, peakMemoryBytes, memoryMb }) => ({
      ...{ weightBytes, readBytes, writeBytes, peakMemoryBytes, memorySize: memoryMb },
      fileBytes: model.bytes + (weights?.bytes ?? NaN),
    })),
  );
  expect([threads, dimensions, assumedDimensions]).toEqual([file.threads, { batch: 1 }, []]);
  const functions = Object.values(resources('AWS::Lambda::Function'));
  expect(functions.map(({ MemorySize }) => MemorySize)).toEqual(slices.map(({ memorySize }) => memorySize));
  const ms = (time?: Duration): number => time?.toMilliseconds({ integral: false }) ?? NaN;
  expect(warmRun?.costPerMillion).toBeGreaterThan(1);
  expect(coldRun?.costPerMillion).toBeGreaterThan(warmRun?.costPerMillion ?? NaN);
  expect(ms(warmRun?.latencyP95)).toBeGreaterThan(ms(warmRun?.latencyP50));
});

test('it has the memory and the threads that the search chose', () => {
  const options = { minimize: Minimize.LATENCY, temperature: Temperature.WARM };
  const { pipeline, resource } = pipelineStack({ ...SLOW, slicing: Slicing.automatic(options) });
  const { slices, threads } = pipeline.plan;
  expect([slices.map(({ memorySize }) => memorySize), threads]).toEqual([[3008], 2]);
  expect(resource('Pipeline/slice-00/Function')).toMatchObject({
    MemorySize: 3008,
    Environment: { Variables: { SLICE_THREADS: '2' } },
  });
});

test('pipelines whose plans differ in memory alone have a plan file each', () => {
  const stack = newStack();
  const [one, two] = [512, 1769].map((maxMemorySize) => {
    const slicing = Slicing.automatic({ minimize: Minimize.LATENCY, maxMemorySize });
    return addPipeline(stack, `Pipeline${maxMemorySize}`, { ...SLOW, slicing });
  });
  expect(one.plan.slices.map(({ memorySize }) => memorySize)).toEqual([512]);
  expect(two.plan.slices.map(({ memorySize }) => memorySize)).toEqual([1769]);
  expect(one.planPath).not.toBe(two.planPath);
});
