/** Cuts models whose results a careless cut would change; each model was found by experiment. */
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { mostSlices } from '../../../lib/plan/cuts/cuts';
import { memoryMb } from '../../../lib/plan/sizes/estimate';
import type { Slicer } from '../../../lib/plan/search/slicers';
import { atTensors, automatic, count, maxSliceSize } from '../../../lib/plan/search/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import type { GraphInit, ModelInit, NodeInit, TensorInit } from '../../support/model-builder';
import { expectSameBits, runSlices, runWhole } from '../../support/run-slices';
import {
  BOOL,
  FLOAT,
  FLOAT16,
  INT64,
  STRING,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

analyzeFast();

const INT32 = 6;
const UINT8 = 2;
const to = (type: number) => [attribute.int('to', type)];

function graphOf(nodes: NodeInit[], initializer: TensorInit[] = [], inputType = FLOAT): GraphInit {
  return { node: nodes, initializer, input: [value('x', inputType, [8])], output: [value('y')] };
}

const x: RawTensor = { dtype: 'float32', shape: [8], bytes: floats('', [8]).rawData as Uint8Array };
const integers: RawTensor = {
  dtype: 'int32',
  shape: [8],
  bytes: new Uint8Array(Int32Array.of(-5, 0, 300, 70_000, 2 ** 30, -(2 ** 31), 255, 256).buffer),
};

/** Runs the model whole and in each possible number of slices; returns the largest number. */
function expectIdentical(graph: GraphInit, input: RawTensor = x): Promise<number> {
  return expectModelIdentical({ graph }, input);
}

async function expectModelIdentical(model: ModelInit, input: RawTensor = x): Promise<number> {
  const file = saveModel(model);
  const analyzed = analyzeModel(file);
  const feeds = new Map([['x', input]]);
  const whole = await runWhole(file, feeds);
  const most = mostSlices(analyzed.cuts);
  for (let slices = 1; slices <= most; slices++) {
    expectSameBits(await runSlices(compileAnalyzed(analyzed, count(slices)), feeds), whole);
  }
  return most;
}

function whyNot(graph: GraphInit, name: string): string | undefined {
  const { model, cuts } = analyzeModel(saveModel({ graph }));
  return cuts.rule(model.graph.values.findIndex((candidate) => candidate.name === name));
}

describe('casts', () => {
  const chain = (middle: number, target: number) =>
    graphOf(
      [
        node('Identity', ['x'], ['p']),
        node('Cast', ['p'], ['q'], to(middle)),
        node('Cast', ['q'], ['r'], to(target)),
        node('Identity', ['r'], ['y']),
      ],
      [],
      INT32,
    );

  test('are in one slice with a cast that reads their result, because ONNX Runtime merges the two', async () => {
    expect(whyNot(chain(FLOAT, UINT8), 'q')).toBe(
      'computed by Cast and read by another cast, and ONNX Runtime merges the two',
    );
    expect(await expectIdentical(chain(FLOAT, UINT8), integers)).toBe(3);
  });

  describe('inside operators and functions that ONNX Runtime expands', () => {
    const cast = (name: string, type: number, domain = '') => ({
      domain: 'local',
      name,
      input: ['a'],
      output: ['b'],
      node: [{ ...node('Cast', ['a'], ['b'], to(type)), domain }],
      opsetImport: [{ domain: '', version: 17 }],
    });
    const call = (name: string, input: string, output: string) => ({
      ...node(name, [input], [output]),
      domain: 'local',
    });
    const outer = {
      ...cast('Outer', 0),
      node: [call('Narrow', 'a', 'b')],
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'local', version: 1 },
      ],
    };
    // 5e9 fits into int64 but not into int32, so the result shows whether the cast to int64 ran.
    const first: Record<string, NodeInit> = {
      'a Cast': node('Cast', ['p'], ['q'], to(INT64)),
      'a CastLike': node('CastLike', ['p', 'like'], ['q']),
      'a function': call('Wide', 'p', 'q'),
    };
    const second: Record<string, NodeInit> = {
      'a Cast': node('Cast', ['q'], ['r'], to(INT32)),
      'a CastLike': node('CastLike', ['q', 'like32'], ['r']),
      'a function': call('Narrow', 'q', 'r'),
      'a function of a function': call('Outer', 'q', 'r'),
    };
    const pairs = Object.keys(first).flatMap((one) => Object.keys(second).map((two) => [one, two] as const));

    const modelOf = (nodes: NodeInit[]) => ({
      graph: graphOf(nodes, [
        floats('k', [1], [5e9]),
        int64s('like', [0]),
        { name: 'like32', dataType: INT32, dims: [1], rawData: new Uint8Array(4) },
      ]),
      functions: [cast('Wide', INT64), cast('Narrow', INT32), outer],
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'local', version: 1 },
      ],
    });

    test.each(pairs)('keep their results in every number of slices: %s before %s', async (one, two) => {
      const model = modelOf([
        node('Mul', ['x', 'k'], ['p']),
        first[one],
        second[two],
        node('Identity', ['r'], ['y']),
      ]);
      expect(await expectModelIdentical(model)).toBe(3);
    });

    test.each(Object.keys(second))(
      'keep their results in every number of slices if one of them is %s that no output needs',
      async (two) => {
        const model = modelOf([
          node('Mul', ['x', 'k'], ['p']),
          first['a Cast'],
          second[two],
          node('Cast', ['q'], ['s'], to(INT32)),
          node('Identity', ['s'], ['y']),
        ]);
        await expectModelIdentical(model);
      },
    );
  });

  test('follow the cast before them into its slice when no output needs them', async () => {
    const { node: nodes, ...rest } = chain(FLOAT, UINT8);
    await expectIdentical(
      { ...rest, node: [...nodes, node('Cast', ['q'], ['unused'], to(INT64))] },
      integers,
    );
  });

  test('stay in the graph when an unused node other than a cast also reads their result', async () => {
    const { node: nodes, ...rest } = chain(FLOAT, UINT8);
    const graph = { ...rest, node: [...nodes, node('Neg', ['q'], ['unused'])] };
    expect(await expectIdentical(graph, integers)).toBeGreaterThan(1);
  });

  test('of constants are in one slice with the casts that read them', async () => {
    const graph = graphOf(
      [
        node('Cast', ['w'], ['h'], to(INT32)),
        node('Cast', ['h'], ['q'], to(FLOAT)),
        node('Add', ['x', 'q'], ['a']),
        node('Cast', ['h'], ['t'], to(FLOAT)),
        node('Mul', ['a', 't'], ['y']),
      ],
      [floats('w', [8], [1.5, -2.5, 3e9, 4, 5, 6, 7, 8])],
    );
    await expectIdentical(graph);
  });
});

describe('float16', () => {
  const models: Record<string, GraphInit> = {
    'a float32 value between two float16 parts': graphOf([
      node('Tanh', ['x'], ['p']),
      node('Cast', ['p'], ['h'], to(FLOAT16)),
      node('Sigmoid', ['h'], ['s']),
      node('Cast', ['s'], ['q'], to(FLOAT)),
      node('Cast', ['q'], ['h2'], to(FLOAT16)),
      node('Cast', ['h2'], ['r'], to(FLOAT)),
      node('Exp', ['r'], ['y']),
    ]),
    'a cast that no output needs': graphOf([
      node('Tanh', ['x'], ['p']),
      node('Cast', ['p'], ['h'], to(FLOAT16)),
      node('Sigmoid', ['h'], ['s']),
      node('Cast', ['h'], ['unused'], to(FLOAT)),
      node('Cast', ['s'], ['q'], to(FLOAT)),
      node('Exp', ['q'], ['y']),
    ]),
    'a chain that no output needs': graphOf([
      node('Tanh', ['x'], ['p']),
      node('Cast', ['p'], ['h'], to(FLOAT16)),
      node('Identity', ['h'], ['i']),
      node('Identity', ['i'], ['unused']),
      node('Sigmoid', ['h'], ['s']),
      node('Cast', ['s'], ['q'], to(FLOAT)),
      node('Exp', ['q'], ['y']),
    ]),
    'a constant in float16': graphOf(
      [
        node('Cast', ['w'], ['h'], to(FLOAT16)),
        node('Cast', ['h'], ['q'], to(FLOAT)),
        node('Add', ['x', 'q'], ['a']),
        node('Exp', ['a'], ['b']),
        node('Sigmoid', ['h'], ['s']),
        node('Cast', ['s'], ['t'], to(FLOAT)),
        node('Mul', ['b', 't'], ['y']),
      ],
      [floats('w', [8])],
    ),
  };

  test.each(Object.keys(models))('models can be cut after ONNX Runtime has saved them: %s', async (name) => {
    expect(await expectIdentical(models[name])).toBeGreaterThan(1);
  });
});

describe('values that cannot cross a cut', () => {
  test('include strings if a constant contains a NUL or invalid UTF-8', () => {
    const strings = (text: string) =>
      graphOf(
        [node('Concat', ['x', 'k'], ['p'], [attribute.int('axis', 0)]), node('Identity', ['p'], ['y'])],
        [{ name: 'k', dataType: STRING, dims: [1], stringData: [Buffer.from(text, 'latin1')] }],
        STRING,
      );
    expect(whyNot(strings('plain'), 'p')).toBeUndefined();
    expect(whyNot(strings('a\0b'), 'p')).toBe(
      "of strings in which tensor 'k' may put a NUL or invalid UTF-8",
    );
    expect(whyNot(strings('\xff\xfe'), 'p')).toBe(
      "of strings in which tensor 'k' may put a NUL or invalid UTF-8",
    );
  });

  test.each(['__proto__', '__metadata__'])('include values with the reserved name %s', (name) => {
    const inner = graphOf([node('Abs', ['x'], [name]), node('Neg', [name], ['y'])]);
    expect(whyNot(inner, name)).toBe('named like a key that JavaScript or safetensors reserves');
    const outer = { ...graphOf([node('Abs', ['x'], [name])]), output: [value(name)] };
    expect(() => analyzeModel(saveModel({ graph: outer }))).toThrow(
      'one named like a key that JavaScript or safetensors reserves',
    );
  });

  test.each(['constructor', 'toString'])('exclude values named like the object member %s', async (name) => {
    const graph = graphOf([node('Abs', ['x'], [name]), node('Neg', [name], ['y'])]);
    expect(await expectIdentical({ ...graph, input: [value('x', FLOAT, [name])] })).toBe(2);
  });
});

describe('sizes of slices', () => {
  function sizesOf(graph: GraphInit, slices: number) {
    return compileAnalyzed(analyzeModel(saveModel({ graph })), count(slices)).plan.slices;
  }

  test('count results of constant nodes as weights', () => {
    const graph = graphOf(
      [node('ConstantOfShape', ['shape'], ['w']), node('MatMul', ['x', 'w'], ['y'])],
      [int64s('shape', [8, 1000])],
    );
    expect(sizesOf(graph, 1)[0].weightBytes).toBeGreaterThanOrEqual(32_000);
  });

  describe('count weights in body graphs and functions', () => {
    const width = 64;
    const weight = floats('w', [width, width]);
    const body = (name: string) => ({
      node: [node('MatMul', ['t', `w_${name}`], [name])],
      initializer: [{ ...weight, name: `w_${name}` }],
      output: [value(name, FLOAT)],
    });
    const branch = node(
      'If',
      ['flag'],
      ['i'],
      [attribute.graph('then_branch', body('a')), attribute.graph('else_branch', body('b'))],
    );
    const call = (input: string, output: string) => ({
      ...node('Product', [input], [output]),
      domain: 'local',
    });
    const model: ModelInit = {
      graph: {
        node: [
          node('Tanh', ['x'], ['t']),
          branch,
          node('Tanh', ['i'], ['j']),
          call('j', 'f'),
          node('Tanh', ['f'], ['g']),
          call('g', 'h'),
          node('Tanh', ['h'], ['y']),
        ],
        input: [value('x', FLOAT, [1, width]), value('flag', BOOL, [])],
        output: [value('y', FLOAT)],
      },
      functions: [
        {
          domain: 'local',
          name: 'Product',
          input: ['a'],
          output: ['b'],
          node: [
            node('Constant', [], ['c'], [attribute.tensor('value', weight)]),
            node('MatMul', ['a', 'c'], ['b']),
          ],
          opsetImport: [{ domain: '', version: 17 }],
        },
      ],
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'local', version: 1 },
      ],
    };
    const analyzed = analyzeModel(saveModel(model));
    const bytes = width * width * 4;
    const weights = (slicer: Slicer): number[] =>
      compileAnalyzed(analyzed, slicer).plan.slices.map(({ weightBytes }) => weightBytes);

    test('once, in the slice that runs them', () => {
      expect(weights(count(1))).toEqual([3 * bytes]);
      expect(weights(atTensors(['j']))).toEqual([2 * bytes, bytes]);
      expect(weights(atTensors(['j', 'g']))).toEqual([2 * bytes, bytes, bytes]);
    });

    test('against a limit', () => {
      expect(weights(maxSliceSize(2 * bytes))).toEqual([2 * bytes, bytes]);
      expect(() => weights(maxSliceSize(2 * bytes - 1))).toThrow(
        `each slice must have at most ${2 * bytes - 1} bytes of weights, got ${2 * bytes} bytes for node 'If_i' (If)`,
      );
    });

    test('twice as memory, because ONNX Runtime does not map them', () => {
      const size = { weightBytes: bytes, activationBytes: 0, readBytes: 0, writeBytes: 0 };
      const many = { ...size, weightBytes: 2 ** 30 };
      expect(memoryMb({ ...many, bodyBytes: 2 ** 30 })).toBe(
        memoryMb({ ...many, weightBytes: 2 ** 31, bodyBytes: 0 }),
      );
    });
  });

  test('do not count values that a slice neither reads nor computes', () => {
    const graph = graphOf(
      [
        node('Tile', ['x', 'times'], ['big']),
        node('ReduceSum', ['big'], ['a'], [attribute.int('keepdims', 0)]),
        node('Abs', ['a'], ['b']),
        node('Neg', ['b'], ['c']),
        node('Add', ['c', 'big'], ['y']),
      ],
      [int64s('times', [1000])],
    );
    const [, middle] = compileAnalyzed(analyzeModel(saveModel({ graph })), count(5)).plan.slices.slice(1);
    expect(middle.activationBytes).toBeLessThan(100);
    expect(middle.readBytes).toBe(4);
  });

  test('do not count a large value as written if only its own slice reads it', () => {
    const graph = {
      node: [
        node('Expand', ['x', 'shape'], ['big']),
        node('Tanh', ['big'], ['t']),
        node('ReduceSum', ['t'], ['y'], [attribute.int('keepdims', 0)]),
      ],
      initializer: [int64s('shape', [15_000, 15_000])],
      input: [value('x', FLOAT, [1])],
      output: [value('y', FLOAT)],
    };
    expect(automatic(3008).choose(analyzeModel(saveModel({ graph })).cuts)).toHaveLength(1);
  });
});

test('a long list of sizes stays in the graph file', async () => {
  const parts = 200;
  const outputs = Array.from({ length: parts }, (_, index) => `s${index}`);
  const graph = {
    node: [
      node('Tile', ['x', 'times'], ['long']),
      node('Split', ['long', 'sizes'], outputs),
      node('Sum', outputs, ['y']),
    ],
    initializer: [int64s('times', [parts]), int64s('sizes', Array<number>(parts).fill(8))],
    input: [value('x', FLOAT, [8])],
    output: [value('y', FLOAT)],
  };
  expect(await expectIdentical(graph)).toBe(3);
});

test('a chain of constants that every node uses is sized once, not once per user', () => {
  const length = 1500;
  const constants = Array.from({ length }, (_, index) =>
    node('Neg', [index === 0 ? 'w' : `c${index - 1}`], [`c${index}`]),
  );
  const users = Array.from({ length }, (_, index) =>
    node(
      'Add',
      [index === 0 ? 'x' : `v${index - 1}`, `c${length - 1}`],
      [index === length - 1 ? 'y' : `v${index}`],
    ),
  );
  const { cuts } = analyzeModel(saveModel({ graph: graphOf([...constants, ...users], [floats('w', [8])]) }));
  // Otherwise each candidate cut would walk the chain once per user.
  expect(count(4).choose(cuts)).toHaveLength(4);
});

test('a Scan behind a cut gets the input shapes that it requires', async () => {
  const body = {
    node: [node('Add', ['state', 'element'], ['sum']), node('Mul', ['sum', 'p'], ['out'])],
    input: [value('state', FLOAT), value('element', FLOAT)],
    output: [value('sum', FLOAT), value('out', FLOAT)],
  };
  const graph = {
    node: [
      node('Tanh', ['x'], ['p']),
      node('Reshape', ['x', 'rows'], ['elements']),
      node(
        'Scan',
        ['start', 'elements'],
        ['end', 'y'],
        [attribute.int('num_scan_inputs', 1), attribute.graph('body', body)],
      ),
    ],
    initializer: [int64s('rows', [8, 1]), floats('start', [1])],
    input: [value('x', FLOAT, [8])],
    output: [value('y', FLOAT)],
  };
  expect(await expectIdentical(graph)).toBe(3);
});
