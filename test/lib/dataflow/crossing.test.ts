/** Cuts models whose results a careless cut would change; each model was found by experiment. */
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { analyzeModel } from '../../../lib/compile/analyze';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type GraphInit,
  type ModelInit,
  type NodeInit,
  type TensorInit,
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
import { expectSameBitsInEveryCut } from '../../support/run-slices';

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

function expectModelIdentical(model: ModelInit, input: RawTensor = x): Promise<number> {
  return expectSameBitsInEveryCut(saveModel(model), new Map([['x', input]]));
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
