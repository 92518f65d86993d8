/** Counts the GETs that functions send to S3, and compares them with those of the plan and with numbers that were worked out by hand. */
import { Slicing } from '../../lib';
import { analyzeModel } from '../../lib/compile/analyze';
import { DEFAULT_PRICES } from '../../lib/cost/constants/defaults';
import { bestCut } from '../../lib/plan/best-cut';
import { plannedRuns } from '../../lib/plan/pricing/plan-runs';
import { atTensors } from '../../lib/plan/slicers';
import type { operate } from '../../local/s3/operations';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { deploy, runAsWhole } from '../support/deployed-pipeline';
import { graphOf, nodesOf } from '../support/graph-text';
import { type NodeInit, FLOAT, floats, node, saveModel, value } from '../support/model-builder';
import { float32 } from '../support/tensors';
import { WIDTH, twoTowers } from '../support/towers';

/** Keys of the objects that functions have read. */
const mockRead: string[] = [];

jest.mock('../../local/s3/operations', () => {
  const actual = jest.requireActual<{ operate: typeof operate }>('../../local/s3/operations');
  const counted: typeof operate = (operation, service, request, response) => {
    if (operation.name === 'GetObject') mockRead.push(request.key);
    return actual.operate(operation, service, request, response);
  };
  return { ...actual, operate: counted };
});

function matrix(rows: number, columns: number): RawTensor {
  return float32(
    [rows, columns],
    Array.from({ length: rows * columns }, (_, at) => Math.sin(at)),
  );
}

/** A model of `x` of so many rows, with 4 bytes a row and column. */
function saved(nodes: readonly NodeInit[], rows: number, columns: number): string {
  const weights = columns === 16 ? [floats('w', [columns, columns])] : [];
  const input = [value('x', FLOAT, [rows, columns])];
  return saveModel({ graph: graphOf(nodes, { initializer: weights, input }) });
}

const CHAIN = 'MatMul x w > a; MatMul a w > b; MatMul b w > c; MatMul c w > y';

/** Later slices read the first value again. */
const SKIPS = 'MatMul x w > a; MatMul a w > b; MatMul b w > c; MatMul c w > d; Sum d a b > y';

/** The first slice writes `count` tensors. The second one reads those with even numbers, the third one the others, the last one all. */
function fan(count: number): NodeInit[] {
  const names = Array.from({ length: count }, (_, at) => `v${at}`);
  return [
    ...nodesOf('Tanh x > t'),
    node('Split', ['t'], names, [{ name: 'axis', i: 0, type: 2 }]),
    node(
      'Sum',
      names.filter((_, at) => at % 2 === 0),
      ['even'],
    ),
    node(
      'Sum',
      names.filter((_, at) => at % 2 === 1),
      ['odd'],
    ),
    node('Sum', [...names, 'even', 'odd'], ['y']),
  ];
}

const ONE = new Map([['x', matrix(2000, 16)]]);
const TWO = new Map(['text', 'image'].map((name) => [name, matrix(512, WIDTH)] as const));
const lastOf = (count: number) => `v${count - 1}`;

test.each<[string, string, ReadonlyMap<string, RawTensor>, readonly string[], readonly number[]]>([
  ['a chain', saved(nodesOf(CHAIN), 2000, 16), ONE, ['a', 'b', 'c'], [1, 1, 1, 1]],
  // The last slice reads the object of each branch, and a branch begins with an input of the request.
  [
    'branches',
    saveModel({ graph: twoTowers(512) }),
    TWO,
    ['t1', 'text_out', 'i1', 'image_out'],
    [1, 1, 1, 1, 2],
  ],
  // `c`, `a` and `b` come from three slices.
  ['skip connections', saved(nodesOf(SKIPS), 2000, 16), ONE, ['a', 'b', 'c'], [1, 1, 1, 3]],
  // 140 tensors of 1 KB, so all of them are near each other. The small sums travel in the state.
  [
    '140 small tensors',
    saved(fan(140), 140, 256),
    new Map([['x', matrix(140, 256)]]),
    [lastOf(140), 'even', 'odd'],
    [1, 1, 1, 1],
  ],
  // The request has 10 MiB: the first 8 MiB, and the rest. Of 20 tensors of 512 KiB, the even ones come first, within the first 8 MiB.
  // The odd ones begin far behind the header, so they take the first GET and another one. All take the first 8 MiB and the rest, and
  // the last slice also reads both sums.
  [
    '20 large tensors',
    saved(fan(20), 20, 131_072),
    new Map([['x', matrix(20, 131_072)]]),
    [lastOf(20), 'even', 'odd'],
    [2, 1, 2, 4],
  ],
])('functions send as many GETs as planned for %s', async (_, file, inputs, cuts, expected) => {
  const analyzed = analyzeModel(file, { costs: { request: 's3' } });
  const cut = bestCut(analyzed.dataflow, analyzed.cuts, atTensors(cuts));
  const { steps } = plannedRuns(analyzed, cut).slices;
  const planned = steps.map(({ cost }) => (cost.warmItems.s3Gets / DEFAULT_PRICES.s3.standardGets) * 1e6);
  expect(planned.map((gets) => Math.round(1e6 * gets) / 1e6)).toEqual(expected);

  const cloud = await deploy(file, { slicing: Slicing.atTensors([...cuts]) });
  mockRead.length = 0;
  await runAsWhole(cloud, file, inputs);
  const tensors = mockRead.filter((key) => /^(runs|inputs)\//.test(key));
  expect(tensors).toHaveLength(expected.reduce((sum, gets) => sum + gets, 0));
});
