/** Whether the functions of a pipeline prepack weights: by the prop, by the rate of requests, or by the plan of slices that exist. */
import * as path from 'node:path';
import { Prepacking, SlicedModel, Slicing, type SlicedInferencePipelineProps } from '../../../lib';
import { ENV } from '../../../contract/environment';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compile } from '../../../lib/compile/compile';
import { readPlan } from '../../../lib/compile/files/read-plan';
import { count } from '../../../lib/plan/slicers';
import { planDeployment } from '../../../lib/pipeline/deployment';
import { pipelineSettings } from '../../../lib/pipeline/settings';
import { MLP_PATH, pipelineStack } from '../../support/pipeline-stack';
import { writtenPlan } from '../../support/written-plan';

const two = { slicing: Slicing.count(2) };

/** The settings of all functions, each once. */
function deployed(props: Partial<SlicedInferencePipelineProps>): unknown[] {
  const functions = Object.values(pipelineStack(props).resources('AWS::Lambda::Function')) as {
    readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
  }[];
  return [...new Set(functions.map(({ Environment: { Variables } }) => Variables[ENV.prepacking] ?? 'on'))];
}

it('functions prepack weights by default, and with ALWAYS', () => {
  expect(deployed(two)).toEqual(['on']);
  expect(deployed({ ...two, prepacking: Prepacking.ALWAYS })).toEqual(deployed(two));
});

it('with NEVER none does, and their results are those of another deployment', () => {
  const never = deployed({ ...two, prepacking: Prepacking.NEVER });
  expect(never).toEqual(['off']);
  const planned = (prepacking: boolean) =>
    writtenPlan(compile(MLP_PATH, count(2), { dimensions: { batch: 1 }, costs: { prepacking } })).plan;
  const [always, off] = [Prepacking.ALWAYS, Prepacking.NEVER].map(
    (prepacking) =>
      planDeployment(planned(prepacking === Prepacking.ALWAYS), {}, pipelineSettings({ prepacking })).plan
        .deploymentDigest,
  );
  expect(off).not.toBe(always);
});

it('slices that exist have the decision of their plan, and the prop may not name another one', () => {
  const { folder } = writtenPlan(
    compile(MLP_PATH, count(2), { dimensions: { batch: 1 }, costs: { prepacking: false } }),
  );
  const sliced = () => ({
    ...{ modelPath: undefined, dimensions: undefined },
    slicedModel: SlicedModel.fromDirectory(folder),
  });
  expect(readPlan(path.join(folder, 'plan.json')).prepacking).toBe(false);
  expect(deployed(sliced())).toEqual(['off']);
  expect(deployed({ ...sliced(), prepacking: Prepacking.NEVER })).toEqual(['off']);
  expect(() => deployed({ ...sliced(), prepacking: Prepacking.ALWAYS })).toThrow(
    "prepacking must be 'never', with which the model was sliced, got 'always': leave it out, or slice",
  );
});

// In each run, the weights of 4,096 bytes are packed in 0.16 µs. When they are loaded, that takes 3.4 µs.
it.each([
  ['without a rate', undefined, 2, true],
  ['at a rate at which nearly every run is cold', 0.01, 2, false],
  ['at a rate at which most runs are warm', 100, 2, true],
  ['at that rate with one row, for which no run packs weights', 100, 1, false],
])('%s, prepacking is chosen by what it saves', (_, requestsPerHour, batch, expected) => {
  const { costs } = analyzeModel(MLP_PATH, {
    dimensions: { batch },
    costs: requestsPerHour === undefined ? {} : { requestsPerHour },
  });
  expect(costs.prepacking).toBe(expected);
});
