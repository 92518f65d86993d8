/** Cuts models whose results a careless cut would change; each model was found by experiment. */
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { analyzeModel } from '../../../lib/compile/analyze';
import { graphOf, nodesOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type GraphInit,
  type NodeInit,
  type TensorInit,
  FLOAT,
  INT32,
  INT64,
  STRING,
  UINT8,
  attribute,
  callOf,
  floats,
  functionsOf,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { expectSameBitsInEveryCut } from '../../support/run-slices';

analyzeFast();

const to = (type: number) => [attribute.int('to', type)];

function graphOf8(nodes: string | NodeInit[], initializer: TensorInit[] = [], inputType = FLOAT): GraphInit {
  return graphOf(nodes, { initializer, input: [value('x', inputType, [8])], output: [value('y')] });
}

const x: RawTensor = { dtype: 'float32', shape: [8], bytes: floats('', [8]).rawData as Uint8Array };
const integers: RawTensor = {
  dtype: 'int32',
  shape: [8],
  bytes: new Uint8Array(Int32Array.of(-5, 0, 300, 70_000, 2 ** 30, -(2 ** 31), 255, 256).buffer),
};

/** Runs the model whole and in each possible number of slices; returns the largest number. */
function expectIdentical(graph: GraphInit, input: RawTensor = x, rest: object = {}): Promise<number> {
  return expectSameBitsInEveryCut(saveModel({ graph, ...rest }), new Map([['x', input]]));
}

function whyNot(graph: GraphInit, name: string): string | undefined {
  const { model, cuts } = analyzeModel(saveModel({ graph }));
  return cuts.rule(model.graph.values.findIndex((candidate) => candidate.name === name));
}

describe('casts', () => {
  const chain = (middle: number, target: number, more = '') => {
    const nodes = `Identity x > p; Cast p > q to=${middle}; Cast q > r to=${target}; Identity r > y${more}`;
    return graphOf8(nodes, [], INT32);
  };

  test('are in one slice with a cast that reads their result, because ONNX Runtime merges the two', async () => {
    expect(whyNot(chain(FLOAT, UINT8), 'q')).toBe(
      'computed by Cast and read by another cast, and ONNX Runtime merges the two',
    );
    expect(await expectIdentical(chain(FLOAT, UINT8), integers)).toBe(3);
  });

  // 5e9 fits into int64 but not into int32, so the result shows whether the cast to int64 ran.
  const wide: [string, NodeInit][] = [
    ['a Cast', node('Cast', ['p'], ['q'], to(INT64))],
    ['a function', callOf('Wide', ['p'], ['q'])],
  ];
  const narrow: [string, NodeInit][] = [
    ['a Cast', node('Cast', ['q'], ['r'], to(INT32))],
    ['a CastLike', node('CastLike', ['q', 'like32'], ['r'])],
    ['a function', callOf('Narrow', ['q'], ['r'])],
  ];
  const pairs = wide.flatMap(([one, first]) => narrow.map(([two, second]) => ({ one, two, first, second })));

  test.each(pairs)('keep their results in every cut: $one before $two', async ({ first, second }) => {
    const functions = { Wide: nodesOf('Cast a > b to=7'), Narrow: nodesOf('Cast a > b to=6') };
    const like = { name: 'like32', dataType: INT32, dims: [1], rawData: new Uint8Array(4) };
    const nodes = [...nodesOf('Mul x k > p'), first, second, ...nodesOf('Identity r > y')];
    const graph = graphOf8(nodes, [floats('k', [1], [5e9]), like]);
    expect(await expectIdentical(graph, x, functionsOf(functions))).toBe(3);
  });

  test('are in one slice with casts of their result that no output needs', async () => {
    await expectIdentical(chain(FLOAT, UINT8, `; Cast q > unused to=${INT64}`), integers);
  });

  test('stay in the graph when an unused node other than a cast also reads their result', async () => {
    expect(await expectIdentical(chain(FLOAT, UINT8, '; Neg q > unused'), integers)).toBeGreaterThan(1);
  });

  test('of constants are in one slice with the casts that read them', async () => {
    const nodes = 'Cast w > h to=6; Cast h > q to=1; Add x q > a; Cast h > t to=1; Mul a t > y';
    await expectIdentical(graphOf8(nodes, [floats('w', [8], [1.5, -2.5, 3e9, 4, 5, 6, 7, 8])]));
  });
});

test.each([
  // A float32 value between two float16 parts, a cast and a chain that no output needs, and a constant in float16.
  'Tanh x > p; Cast p > h to=10; Sigmoid h > s; Cast s > q to=1; Cast q > h2 to=10; Cast h2 > r to=1; Exp r > y',
  'Tanh x > p; Cast p > h to=10; Sigmoid h > s; Cast h > unused to=1; Cast s > q to=1; Exp q > y',
  'Tanh x > p; Cast p > h to=10; Identity h > unused; Sigmoid h > s; Cast s > q to=1; Exp q > y',
  'Cast w > h to=10; Cast h > q to=1; Add x q > a; Exp a > b; Sigmoid h > s; Cast s > t to=1; Mul b t > y',
])('float16 models can be cut after ONNX Runtime has saved them: %s', async (nodes) => {
  expect(await expectIdentical(graphOf8(nodes, [floats('w', [8])]))).toBeGreaterThan(1);
});

test('values that cannot cross a cut include strings if a constant contains a NUL or invalid UTF-8', () => {
  const strings = (text: string) =>
    graphOf8(
      'Concat x k > p axis=0; Identity p > y',
      [{ name: 'k', dataType: STRING, dims: [1], stringData: [Buffer.from(text, 'latin1')] }],
      STRING,
    );
  expect(whyNot(strings('plain'), 'p')).toBeUndefined();
  expect(whyNot(strings('a\0b'), 'p')).toBe("of strings in which tensor 'k' may put a NUL or invalid UTF-8");
  expect(whyNot(strings('\xff\xfe'), 'p')).toBe(
    "of strings in which tensor 'k' may put a NUL or invalid UTF-8",
  );
});

test.each(['__proto__', '__metadata__'])(
  'values that cannot cross a cut include values with the reserved name %s',
  (name) => {
    const inner = graphOf8(`Abs x > ${name}; Neg ${name} > y`);
    expect(whyNot(inner, name)).toBe('named like a key that JavaScript or safetensors reserves');
    const outer = { ...graphOf8(`Abs x > ${name}`), output: [value(name)] };
    expect(() => analyzeModel(saveModel({ graph: outer }))).toThrow(
      'one named like a key that JavaScript or safetensors reserves',
    );
  },
);

test.each(['constructor', 'toString'])(
  'values that cannot cross a cut exclude values named like the object member %s',
  async (name) => {
    const graph = graphOf8(`Abs x > ${name}; Neg ${name} > y`);
    expect(await expectIdentical({ ...graph, input: [value('x', FLOAT, [name])] })).toBe(2);
  },
);
