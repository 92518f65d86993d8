/** A pipeline with consolidation: its slices serve a cold model, and one function a warm one, with the same bits. */
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Consolidation, Slicing, WarmUp, type SlicedInferencePipelineProps } from '../../lib';
import { processorClass } from '../../lambda/telemetry/processor';
import type { Access, LocalCloud, LocalCloudOptions } from '../../local';
import { fileWith } from '../support/changed-json';
import { clientOf } from '../support/client-of-cloud';
import { failed, requestOf, rows, runAsWhole, start, synthesize, trace } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { float32 } from '../support/tensors';

type Props = Partial<SlicedInferencePipelineProps>;

const modelPath = saveModel(mlp(4));
const consolidated = {
  slicing: Slicing.count(4),
  consolidation: Consolidation.ALWAYS,
  dimensions: { batch: 2 },
};
const { STANDARD } = sfn.StateMachineType;

function deployed(props: Props = {}, options?: LocalCloudOptions): Promise<LocalCloud> {
  const assembly = synthesize(modelPath, () => ({ ...consolidated, ...props }));
  return start(assembly, options);
}

const entered = (): string[] =>
  trace.flatMap((event) => (event.type === 'StateEntered' ? [event.state] : []));

test.each<[string, Props]>([
  ['Express', {}],
  ['Standard and does not warm up', { stateMachineType: STANDARD, warmUp: WarmUp.NEVER }],
])(
  'in a state machine that is %s, slices serve the first run, and the whole model later ones',
  async (_, props) => {
    const accesses: Access[] = [];
    const cloud = await deployed(props, { onAccess: (access) => accesses.push(access) });
    trace.length = 0;
    const first = await runAsWhole(cloud, modelPath, rows(2, 1));
    expect(first.servedBy).toBe('slices');
    expect(first.timings.map(({ slice }) => slice)).toEqual([0, 1, 2, 3]);
    expect(entered()).toEqual(expect.arrayContaining(['Ask whole model', 'Load whole model', 'Slice 03']));
    await cloud.asynchronousCalls();
    trace.length = 0;
    const second = await runAsWhole(cloud, modelPath, rows(2, 2));
    expect(second.servedBy).toBe('whole');
    const processor = processorClass();
    expect(second.timings).toMatchObject([{ whole: true, cold: false, loadMs: 0, processor }]);
    expect(entered()).toEqual(['Ask whole model']);
    await cloud.asynchronousCalls();
    // It has the permissions that it needs.
    expect(accesses.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
    const claims = accesses.filter(({ resource }) => resource.includes('/runs/loader-'));
    expect(new Set(claims.map(({ action }) => action))).toEqual(new Set(['s3:PutObject', 's3:GetObject']));
    const client = clientOf(cloud);
    expect(await client.infer({ x: { shape: [1, 16], data: new Float32Array(16) } })).toMatchObject({
      servedBy: 'whole',
      processors: [processor],
    });
    await client.close();
  },
);

describe('a whole model that does not serve', () => {
  test('because its sandboxes die while they load, fails no run', async () => {
    const file = fileWith("require('node:fs').promises.readFile = () => process.exit(1);", 'disturb.js');
    // Its Node.js loads this program first.
    const environment = { NODE_OPTIONS: `--require ${file}` };
    const cloud = await deployed({ sliceFunctionOverrides: { whole: { environment } } });
    for (const seed of [1, 2]) {
      expect((await runAsWhole(cloud, modelPath, rows(2, seed))).servedBy).toBe('slices');
      await cloud.asynchronousCalls();
    }
  });

  test('because it is throttled, fails no run', async () => {
    const cloud = await deployed({ sliceFunctionOverrides: { whole: { reservedConcurrentExecutions: 1 } } });
    const outputs = await Promise.all(
      [1, 2, 3, 4].map((seed) => runAsWhole(cloud, modelPath, rows(2, seed))),
    );
    expect(outputs.map(({ servedBy }) => servedBy)).toEqual(Array(4).fill('slices'));
  });
});

test('a request that does not fit fails as in a slice, and starts none if the model is warm', async () => {
  const cloud = await deployed();
  const refused = async () => {
    await cloud.asynchronousCalls();
    trace.length = 0;
    return failed(await cloud.execute(requestOf(new Map([['z', float32([1])]]))));
  };
  const cold = await refused();
  expect(cold).toMatchObject({ error: 'InvalidInput', cause: { slice: 0 } });
  // A question that meets a load in progress would start one more sandbox, which is cold.
  await cloud.asynchronousCalls();
  await runAsWhole(cloud, modelPath, rows(2, 1));
  expect(await refused()).toEqual(cold);
  expect(entered()).toEqual(['Ask whole model', 'Failed']);
});

test('five cold requests at once load one copy of the whole model', async () => {
  // 2 MB of weights at 1 MB/s: the five runs have asked long before the copy is loaded.
  const large = saveModel(mlp(2, 512));
  const environment = {
    network: { vpcRate: { value: 1, unit: 'MiB/s' } },
    s3: { connectionRate: { value: 1, unit: 'MB/s' } },
  };
  const simulationEnvironment = fileWith(JSON.stringify({ version: 1, environment }), 'slow.json');
  const assembly = synthesize(large, () => ({ ...consolidated, slicing: Slicing.count(2) }));
  const cloud = await start(assembly, { simulation: 'aws-vpc', simulationEnvironment });
  const run = (seed: number) =>
    runAsWhole(cloud, large, new Map([['x', float32([1, 512], Array(512).fill(seed / 10))]]));
  const outputs = await Promise.all([1, 2, 3, 4, 5].map(run));
  await cloud.asynchronousCalls();
  expect(outputs.map(({ servedBy }) => servedBy)).toEqual(Array(5).fill('slices'));
  const [, log = ''] = [...cloud.logs()].find(([name]) => /whole/i.test(name)) ?? [];
  const loads = [...log.matchAll(/^\{.*"loaded":"(\w+)"/gm)].map(([, loaded]) => loaded);
  expect(loads).toHaveLength(5);
  expect(loads.filter((loaded) => loaded === 'now')).toHaveLength(1);
  expect((await run(6)).servedBy).toBe('whole');
});
