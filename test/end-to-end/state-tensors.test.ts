/** Small tensors travel in the state of the execution: no object lies between the slices, and the bits are the same. */
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { ExecutionOutput } from '../../client';
import type { SlicedInferencePipelineProps } from '../../lib';
import { Slicing, WarmUp } from '../../lib';
import type { RawTensor } from '../../lambda/tensors/tensor';
import type { LocalCloud } from '../../local';
import { infer } from '../../local';
import { deploy, rows } from '../support/deployed-pipeline';
import { lateInput } from '../support/late-input-model';
import { mlp, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';
import { WIDTH, ensemble, twoTowers } from '../support/towers';

const clients: S3Client[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

/** The last parts of the keys of all tensors between slices. */
async function objectsBetweenSlices(cloud: LocalCloud): Promise<string[]> {
  const client = new S3Client(cloud.s3);
  clients.push(client);
  const Bucket = cloud.pipeline.signature.bucket as string;
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'runs/' }));
  return Contents.map(({ Key = '' }) => Key.split('/').at(-1) ?? '');
}

type Inputs = ReadonlyMap<string, RawTensor>;

async function expectSameAsWhole(cloud: LocalCloud, model: string, inputs: Inputs): Promise<ExecutionOutput> {
  const result = await infer(cloud, inputs);
  expect(result).toMatchObject({ status: 'SUCCEEDED', outputs: await runWhole(model, inputs) });
  return (result as { execution: ExecutionOutput }).execution;
}

const row = (seed: number) =>
  float32(
    [1, WIDTH],
    Array.from({ length: WIDTH }, (_, at) => Math.sin(at * seed + 1)),
  );

const chain = saveModel(mlp(4));
const towers = saveModel({ graph: twoTowers() });
const members = saveModel({ graph: ensemble(3) });
const text = new Map([['x', row(3)]]);
const both = new Map([
  ['text', row(1)],
  ['image', row(2)],
]);
const early = new Map([
  ['x', float32([1, 16])],
  ['late', float32([1, 16])],
]);

interface Case {
  readonly model: string;
  readonly inputs: Inputs;
  readonly props: Partial<SlicedInferencePipelineProps>;
}

const CASES: Readonly<Record<string, Case>> = {
  'a chain': {
    model: chain,
    inputs: rows(2, 1),
    props: { slicing: Slicing.count(4), dimensions: { batch: 2 } },
  },
  'a Standard chain without warm-ups': {
    model: chain,
    inputs: rows(2, 1),
    props: {
      slicing: Slicing.count(3),
      dimensions: { batch: 2 },
      stateMachineType: sfn.StateMachineType.STANDARD,
      warmUp: WarmUp.NEVER,
    },
  },
  'branches of two slices': { model: towers, inputs: both, props: { slicing: Slicing.count(5) } },
  'branches that read an outer variable': {
    model: members,
    inputs: text,
    props: { slicing: Slicing.count(5) },
  },
  'late readers': { model: lateInput.modelPath, inputs: early, props: lateInput },
};

describe.each(Object.entries(CASES))('%s', (_, { model, inputs, props }) => {
  test('has the results of the whole model, and no object between its slices', async () => {
    const cloud = await deploy(model, props);
    const { timings } = await expectSameAsWhole(cloud, model, inputs);
    await expectSameAsWhole(cloud, model, inputs);
    expect(await objectsBetweenSlices(cloud)).toEqual([]);
    expect(timings.length).toBeGreaterThan(2);
  });
});
