/** A pipeline with consolidation: its slices serve a cold model, and one function a warm one, with the same bits. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { ExecutionOutput } from '../../client';
import { Consolidation, Slicing, WarmUp } from '../../lib';
import type { SlicedInferencePipelineProps } from '../../lib';
import type { LocalCloud } from '../../local';
import { infer } from '../../local';
import { deploy, rows, trace } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';

const modelPath = saveModel(mlp(4));

async function run(cloud: LocalCloud, seed: number): Promise<ExecutionOutput> {
  const inputs = rows(2, seed);
  const result = await infer(cloud, inputs);
  if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
  expect(result.outputs).toEqual(await runWhole(modelPath, inputs));
  return result.execution;
}

function deployed(props: Partial<SlicedInferencePipelineProps> = {}): Promise<LocalCloud> {
  return deploy(modelPath, {
    slicing: Slicing.count(4),
    consolidation: Consolidation.ALWAYS,
    dimensions: { batch: 2 },
    ...props,
  });
}

describe.each<[string, Partial<SlicedInferencePipelineProps>]>([
  ['Express', {}],
  ['Express without warm-ups', { warmUp: WarmUp.NEVER }],
  ['Standard', { stateMachineType: sfn.StateMachineType.STANDARD }],
])('a pipeline with consolidation in a machine that is %s', (_, props) => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await deployed(props);
  });

  it('serves the first run by its slices, and later ones by the whole model', async () => {
    trace.length = 0;
    const first = await run(cloud, 1);
    expect(first.servedBy).toBe('slices');
    expect(first.timings.map(({ slice }) => slice)).toEqual([0, 1, 2, 3]);
    await cloud.asynchronousCalls();
    trace.length = 0;
    const second = await run(cloud, 2);
    expect(second.servedBy).toBe('whole');
    expect(second.timings).toMatchObject([{ whole: true, cold: false, loadMs: 0 }]);
    expect(trace.filter(({ type }) => type === 'StateEntered').map(({ state }) => state)).toEqual([
      'Ask whole model',
    ]);
    expect((await run(cloud, 3)).servedBy).toBe('whole');
  });
});
