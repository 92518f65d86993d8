/** The shapes that slices declare: what ONNX Runtime and the rules of operators prove, and never more. */
import * as fc from 'fast-check';
import { analyzeModel } from '../../../lib/compile/analyze';
import { nodesOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type GraphInit,
  type ModelInit,
  type NodeInit,
  type TensorInit,
  BOOL,
  FLOAT,
  INT64,
  callOf,
  choice,
  floats,
  functionsOf,
  int64s,
  modelOf,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { expectSameBitsInEveryCut, runWhole } from '../../support/run-slices';
import { float32, int64 } from '../../support/tensors';

analyzeFast();

type Shape = readonly (string | number | null)[] | null;

function shapesOf(file: string): Record<string, Shape> {
  const { model, provenShapes } = analyzeModel(file);
  return Object.fromEntries(model.graph.values.map(({ name }, index) => [name, provenShapes[index]]));
}

const image = (nodes: NodeInit[], weights: TensorInit[] = []): ModelInit =>
  modelOf(nodes, { x: ['n', 2, 5, 5] }, weights);
const pooled = (opType: string, more = ''): ModelInit =>
  image(nodesOf(`Relu x > r; ${opType} r > p kernel_shape=[1,1] strides=[3,3]${more}; Neg p > y`));
const resized = (...inputs: string[]): ModelInit =>
  image(
    [node('Resize', inputs, ['p']), node('Neg', ['p'], ['y'])],
    [floats('scales', [4], [1, 1, 7 / 3, 7 / 3]), int64s('sizes', [1, 2, 3, 4])],
  );
const twice = modelOf(nodesOf('Abs p > a; Abs q > b; Add a b > c; Neg c > y'), {
  p: ['n', 2],
  q: ['n', 'm'],
});

/** A body that declares a wrong shape of what it computes from `t` and the sizes `s`; `inner` is in its place. */
const declaring = (name: string, inner: readonly NodeInit[] = []): GraphInit => ({
  node: [...nodesOf(`Reshape t s > ${name}_row`), ...inner, ...nodesOf(`Abs ${name}_row > ${name}_out`)],
  output: [value(`${name}_out`, FLOAT)],
  valueInfo: [value(`${name}_row`, FLOAT, [5, 'q'])],
});
const withBodies = (then: GraphInit): ModelInit =>
  modelOf([...nodesOf('Tanh x > t'), choice('c', 'r', then, declaring('other')), ...nodesOf('Neg r > y')], {
    x: [4],
    c: { type: BOOL, dims: [] },
    s: { type: INT64, dims: ['k'] },
  });
const inFunction = modelOf(
  [callOf('Row', ['x', 's'], ['r']), callOf('Row', ['r', 's'], ['y'])],
  { x: [4], s: { type: INT64, dims: ['k'] } },
  [],
  functionsOf(
    { Row: nodesOf('Reshape a sizes > b') },
    { input: ['a', 'sizes'], valueInfo: [value('b', FLOAT, [1, 4])] },
  ),
);

const rank = (dimensions: number): null[] => new Array<null>(dimensions).fill(null);

const ofUnknownRank = modelOf(nodesOf('ReduceSum x > sum keepdims=0; Reshape x s > r; Add r sum > y'), {
  x: ['n', 2],
  s: { type: INT64, dims: ['k'] },
});
const nested = withBodies(declaring('then', [choice('c', 'z', declaring('in'))]));
const ceiled = pooled('AveragePool', ' ceil_mode=1');

test.each<[what: string, model: ModelInit, shapes: Record<string, Shape>]>([
  ['have the sizes and names of the inputs', image(nodesOf('Relu x > r')), { r: ['n', 2, 5, 5] }],
  ['tell a scalar from a tensor of unknown rank', ofUnknownRank, { sum: [], r: null, y: null }],
  // Equal names may stand for different sizes.
  ['have no name that the inputs declare twice', twice, { a: [null, 2], b: [null, 'm'] }],
  ['do not rest on what a body declares', withBodies(declaring('then')), { t: [4], r: null, y: null }],
  ['do not rest on what a body in a body declares', nested, { r: null }],
  ['do not rest on what a function declares', inFunction, { r: null, y: null }],
  // ONNX infers [1, 2, 3, 3] for this pooling, and [1, 2, 10, 11] for this resizing. ONNX Runtime computes other sizes.
  ['have only the rank of a pooling that rounds', ceiled, { p: rank(4), y: rank(4) }],
  ['have all sizes of a pooling that does not round', pooled('MaxPool'), { p: ['n', 2, 2, 2] }],
  ['have only the rank of a resizing by scales', resized('x', '', 'scales'), { y: rank(4) }],
  ['have all sizes of a resizing by sizes', resized('x', '', '', 'sizes'), { y: [1, 2, 3, 4] }],
])('proven shapes %s', (_, model, shapes) => {
  expect(shapesOf(saveModel(model))).toMatchObject(shapes);
});

const rows = new Map(Object.entries({ p: float32([1, 2], [1, 2]), q: float32([3, 1], [4, 5, 6]) }));
const shaped = new Map<string, ReturnType<typeof float32>>([
  ['x', float32([4], [1, 2, 3, 4])],
  ['s', int64([2], [2, 2])],
  ['c', { dtype: 'bool', shape: [], bytes: Uint8Array.of(1) }],
]);
test.each([
  ['equal names of different sizes', twice, rows, 4],
  ['wrong declarations in bodies', withBodies(declaring('then')), shaped, 3],
])('proven shapes let every cut run, of %s', async (_, model, feeds, most) => {
  expect(await expectSameBitsInEveryCut(saveModel(model), feeds)).toBe(most);
});

/** A result `r` of two or three dimensions: the condition decides. */
const branched = (nodes: NodeInit[], condition = 'c', before: NodeInit[] = []): ModelInit =>
  modelOf(
    [
      ...before,
      choice(condition, 'r', nodesOf('Squeeze x first > two'), nodesOf('Identity x > three')),
      ...nodes,
    ],
    { x: [1, 2, 'n'], c: { type: BOOL, dims: [] } },
    [int64s('first', [0]), int64s('one', [1]), int64s('last', [2]), floats('w', [4, 2, 1])],
  );
const used = nodesOf('Relu r > y');
const convolved = branched(nodesOf('Unsqueeze r first > u; Relu u > a; Conv a w > b; Sigmoid b > y'));
const turned = branched(nodesOf('Transpose r > y perm=[1,0]'));
const decided = branched(used, 'same', nodesOf('Equal one one > same'));
const neverRun = branched(nodesOf('Unsqueeze r first > u; Conv u w > unused; Relu r > y'));
describe('the rank of a value whose shape ONNX Runtime does not know', () => {
  test.each<[what: string, model: ModelInit, ranks: Record<string, number | undefined>]>([
    ['goes through a convolution', convolved, { r: 2, u: 3, a: 3, b: 3, y: 3 }],
    ['follows from the order of a Transpose', turned, { r: 2, y: 2 }],
    ['does not follow from nodes that never run', neverRun, { r: undefined, y: undefined }],
    ['is unknown if branches differ', branched(used), { r: undefined, y: undefined }],
    ['is that of the branch for which constants decide', decided, { r: 2, y: 2 }],
  ])('%s', (_, model, ranks) => {
    const found = Object.entries(shapesOf(saveModel(model))).map(([name, shape]) => [name, shape?.length]);
    expect(Object.fromEntries(found)).toMatchObject(ranks);
  });

  test.each([
    ['a convolution', convolved, 4],
    ['a decided branch', decided, 1],
  ])('lets every cut run, of %s', async (_, model, least) => {
    const feeds = new Map([
      ['x', float32([1, 2, 5], [1, -2, 3, -4, 5, -6, 7, -8, 9, -10])],
      ['c', { dtype: 'bool' as const, shape: [], bytes: Uint8Array.of(1) }],
    ]);
    expect(await expectSameBitsInEveryCut(saveModel(model), feeds)).toBeGreaterThanOrEqual(least);
  });
});

const CHANNELS = 2;
type RandomNode = readonly [node: string, weights: TensorInit[]];

const side = fc.integer({ min: 1, max: 4 });
const window = fc
  .record({
    kernel: fc.tuple(side, side),
    strides: fc.tuple(side, side),
    pads: fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1), fc.nat(1)),
    mode: fc.constantFrom('NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'),
  })
  .map(({ kernel, strides, pads, mode }) => {
    // ONNX Runtime takes pads only without `auto_pad`, and only below the size of the kernel.
    const own = pads.map((pad, index) => Math.min(pad, kernel[index % 2] - 1)).join();
    const padding = mode === 'NOTSET' ? ` pads=[${own}]` : '';
    const text = `kernel_shape=[${kernel.join()}] strides=[${strides.join()}] auto_pad=${mode}${padding}`;
    return { kernel, text };
  });
const pool = fc
  .tuple(fc.constantFrom('MaxPool', 'AveragePool'), window, fc.nat(1))
  .map(([opType, { text }, ceils]): RandomNode => [`${opType} x > r ${text} ceil_mode=${ceils}`, []]);
const convolution = fc
  .tuple(fc.constantFrom('Conv', 'ConvTranspose'), window)
  .map(([opType, { kernel, text }]): RandomNode => {
    return [`${opType} x w > r ${text}`, [floats('w', [CHANNELS, CHANNELS, ...kernel])]];
  });
const scale = fc.double({ min: 0.3, max: 3, noNaN: true });
// The second input is omitted.
const resize = fc
  .tuple(scale, scale)
  .map((scales): RandomNode => ['Resize x  scales > r', [floats('scales', [4], [1, 1, ...scales])]]);
test('sizes that slices declare of random nodes are those that the kernels of ONNX Runtime make', async () => {
  let declared = 0;
  const size = fc.integer({ min: 4, max: 9 });
  const random = fc.oneof(pool, convolution, resize);
  const check = async ([text, weights]: RandomNode, height: number, width: number): Promise<void> => {
    const shape = [1, CHANNELS, height, width];
    const file = saveModel(modelOf(nodesOf(`${text}; Identity r > y`), { x: shape }, weights));
    const made = await runWhole(file, new Map([['x', float32(shape)]])).catch(() => undefined);
    // ONNX Runtime refuses some nodes, such as one with a kernel larger than its input.
    if (made === undefined) return;
    const { r } = shapesOf(file);
    const real = made.get('y')?.shape ?? [];
    expect(r).toHaveLength(real.length);
    r?.forEach((found, axis) => {
      if (found === null) return;
      expect(found).toBe(real[axis]);
      declared++;
    });
  };
  await fc.assert(fc.asyncProperty(random, size, size, check), { numRuns: 50, seed: 14 });
  expect(declared).toBeGreaterThan(50);
});
