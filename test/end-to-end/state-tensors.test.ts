/** Small tensors travel in the state of the execution: no object lies between the slices, and the bits are the same. */
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { decodeInlineTensor, type ExecutionOutput } from '../../client';
import { typedView, type NumericTensor, type RawTensor } from '../../lambda/tensors/tensor';
import { type SlicedInferencePipelineProps, Slicing, WarmUp } from '../../lib';
import type { LocalCloud } from '../../local';
import { deploy, requestOf, rows, runAsWhole, succeeded } from '../support/deployed-pipeline';
import { lateInput } from '../support/late-input-model';
import { mlp, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';
import { ensemble, row, twoRows, twoTowers } from '../support/towers';

const clients: S3Client[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

/** The last parts of the keys below a prefix: by default, of the objects between slices. */
async function objects(cloud: LocalCloud, Prefix = 'runs/'): Promise<string[]> {
  const client = new S3Client(cloud.s3);
  clients.push(client);
  const Bucket = cloud.pipeline.signature.bucket as string;
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key = '' }) => Key.split('/').at(-1) ?? '').sort();
}

const chain = saveModel(mlp(4));
const one = (name: string, tensor: RawTensor) => new Map([[name, tensor]]);

type Case = [
  name: string,
  model: string,
  inputs: ReadonlyMap<string, RawTensor>,
  props: Partial<SlicedInferencePipelineProps>,
];

const cases: Case[] = [
  ['a chain', chain, rows(2, 1), { slicing: Slicing.count(4), dimensions: { batch: 2 } }],
  [
    'a Standard chain without warm-ups',
    ...([chain, rows(2, 1)] as const),
    {
      ...{ slicing: Slicing.count(3), dimensions: { batch: 2 } },
      ...{ stateMachineType: sfn.StateMachineType.STANDARD, warmUp: WarmUp.NEVER },
    },
  ],
  ['branches of two slices', saveModel({ graph: twoTowers() }), twoRows(), { slicing: Slicing.count(5) }],
  [
    'branches that read an outer variable',
    ...([saveModel({ graph: ensemble(3) }), one('x', row(3))] as const),
    { slicing: Slicing.count(5) },
  ],
  [
    'late readers',
    lateInput.modelPath,
    new Map(['x', 'late'].map((name) => [name, float32([1, 16])])),
    lateInput,
  ],
];

test.each(cases)(
  '%s has the results of the whole model, and no object between its slices',
  async (_, model, inputs, props) => {
    const cloud = await deploy(model, props);
    const { timings } = await runAsWhole(cloud, model, inputs);
    await runAsWhole(cloud, model, inputs);
    expect(await objects(cloud)).toEqual([]);
    expect(timings.length).toBeGreaterThan(2);
  },
);

describe('a chain that is planned for small tensors', () => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await deploy(chain, { slicing: Slicing.count(4), dimensions: { batch: 1 } });
  });

  async function expectWhole({ outputs }: ExecutionOutput, inputs: Map<string, RawTensor>): Promise<void> {
    const [y] = Object.values(outputs.tensors ?? {});
    expect(decodeInlineTensor('y', y)).toEqual((await runWhole(chain, inputs)).get('y'));
  }

  test('puts tensors that turn out too large into S3, and returns the same results', async () => {
    await runAsWhole(cloud, chain, rows(560, 1));
    expect(await objects(cloud)).toEqual([]);
    await runAsWhole(cloud, chain, rows(700, 1));
    expect(await objects(cloud)).toEqual([0, 1, 2].map((slice) => `slice-0${slice}.safetensors`));
  });

  test('leaves them out of an event that holds a large request', async () => {
    const inputs = rows(560, 2);
    const [x] = inputs.values();
    const data = [...typedView(x as NumericTensor)].map(Number);
    const request = { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: x.shape, data } } } };
    expect(JSON.stringify(request).length).toBeGreaterThan(150_000);
    const output = succeeded(await cloud.execute(request));
    await expectWhole(output, inputs);
    expect(await objects(cloud, `runs/${output.run}/`)).toEqual(['slice-02.safetensors']);
  });

  test('writes nothing to S3 for inline results only', async () => {
    const inputs = rows(2, 4);
    const before = await objects(cloud, '');
    const output = succeeded(await cloud.execute(requestOf(inputs, { output: { inline: 'only' } })));
    expect(Object.keys(output.outputs)).toEqual(['tensors']);
    await expectWhole(output, inputs);
    expect(await objects(cloud, '')).toEqual(before);
  });
});
