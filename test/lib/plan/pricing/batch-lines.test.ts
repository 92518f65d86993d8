/** The bytes of a line of a batch's list, as the plan counts them and as the client writes it. */
import { analyzeModel } from '../../../../lib/compile/analyze';
import { bestCut } from '../../../../lib/plan/best-cut';
import { batchRuns } from '../../../../lib/plan/pricing/batch-runs';
import { count } from '../../../../lib/plan/slicers';
import type { TensorDataType } from '../../../../client';
import { describedBatch } from '../../../support/batch-answers';
import { fakeAws, MACHINE } from '../../../support/fake-aws';
import { nodesOf } from '../../../support/graph-text';
import { FLOAT, INT32, INT64, modelOf, saveModel } from '../../../support/model-builder';
import { analyzeFast } from '../../../support/inference/fast-analysis';

analyzeFast();

const TYPES: Readonly<Record<string, number>> = { float32: FLOAT, int32: INT32, int64: INT64 };

interface Input {
  readonly dtype: TensorDataType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array;
}

/** Of a model that adds up all of its inputs. */
function plannedBatch(inputs: Readonly<Record<string, Input>>) {
  const names = Object.keys(inputs);
  const casts = names.map(
    (name) => `Cast ${name} > ${name}_f to=1; ReduceSum ${name}_f > ${name}_s keepdims=0`,
  );
  const model = modelOf(
    nodesOf(`${casts.join('; ')}; Sum ${names.map((name) => `${name}_s`).join(' ')} > y`),
    Object.fromEntries(
      names.map((name) => [name, { type: TYPES[inputs[name].dtype], dims: inputs[name].shape }]),
    ),
  );
  const analyzed = analyzeModel(saveModel(model));
  return batchRuns(analyzed, bestCut(analyzed.dataflow, analyzed.cuts, count(1)), 'lines');
}

async function writtenLine(inputs: Readonly<Record<string, Input>>): Promise<string> {
  const signature = Object.entries(inputs).map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const items = { kind: 'jsonLines', bucket: 'b', location: 'lists/a.jsonl', folder: 'lists/' } as const;
  const aws = fakeAws({
    DescribeStateMachine: () => describedBatch({ items, inputs: signature }),
    StartExecution: () => ({ executionArn: `${MACHINE.replace('stateMachine', 'execution')}:night` }),
    PutObject: () => ({}),
  });
  await aws.model.batch({ requests: [['reviews/2026/part-00042#1234567', inputs]] });
  const list = aws.sent('PutObject').find(({ Key }) => String(Key).endsWith('.jsonl'));
  return Buffer.from(list?.Body as Uint8Array).toString();
}

/** Numbers of tokens of BERT's vocabulary, the same in each run. */
const tokens = BigInt64Array.from({ length: 128 }, (_, at) => BigInt((at * 7919 + 101) % 30_522));
const int64 = (data: BigInt64Array): Input => ({ dtype: 'int64', shape: [1, data.length], data });
const float32 = (length: number): Input => ({
  ...{ dtype: 'float32', shape: [1, length] },
  data: Float32Array.from({ length }, (_, at) => Math.sin(at)),
});

test.each<[string, Record<string, Input>, number]>([
  ['the numbers of tokens', { ids: int64(tokens) }, 1.6],
  ['the largest numbers that have six digits', { ids: int64(tokens.slice().fill(999_999n)) }, 1.35],
  // A mask has two bytes an element, and is counted with seven: the map fills runs by what lines have.
  ['tokens and masks', { ids: int64(tokens), mask: int64(new BigInt64Array(128).fill(1n)) }, 2.1],
  [
    'twenty inputs',
    Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`decoder_hidden_state_${at}`, float32(8)])),
    1.3,
  ],
  ['an embedding', { vector: float32(1024) }, 1.1],
])('the plan counts at least the bytes of a line with %s, and not many more', async (_, inputs, most) => {
  const bytes = Buffer.byteLength(await writtenLine(inputs));
  const { lineBytes } = plannedBatch(inputs);
  expect(lineBytes).toBeGreaterThanOrEqual(bytes);
  expect(lineBytes).toBeLessThanOrEqual(most * bytes);
});

test('the plan prices requests that do not fit into lines as the objects that the client makes of them', async () => {
  const picture = { picture: float32(3 * 224 * 224) };
  expect(JSON.parse(await writtenLine(picture))).toMatchObject({
    inputs: { s3: expect.any(String) as string },
  });
  const { lineBytes, model } = plannedBatch(picture);
  expect([lineBytes, model.options.request]).toEqual([0, 's3']);
});
