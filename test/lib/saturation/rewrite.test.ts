/**
 * Which weights become numbers of the other type, and that their products stay exact. `npm run bench:integers` compares all operators with exact
 * integers, and `test/end-to-end/exact-integers.test.ts` does so with the kernels of AVX2.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { typedView } from '../../../lambda/tensors/tensor';
import { type AnalyzedModel, analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { dataTypeName } from '../../../lib/onnx/data-type';
import { parseModel } from '../../../lib/onnx/parse';
import { count } from '../../../lib/plan/slicers';
import { splitModel } from '../../../lib/split/rewrite';
import { splitInto, waysToSplit } from '../../../lib/split/splittable';
import {
  COLUMNS,
  INNER,
  INT8,
  PRODUCT,
  ROWS,
  WEIGHT,
  X,
  bytes,
  exactSums,
  int8s,
  integerModel,
} from '../../support/integer-models';
import {
  type GraphInit,
  type ModelInit,
  BOOL,
  FLOAT,
  INT32,
  UINT8,
  attribute,
  callOf,
  floats,
  functionsOf,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';
import { expectSameBits, runSlices, runWhole } from '../../support/run-slices';
import { writtenPlan } from '../../support/written-plan';

const SUMS = exactSums(bytes(INNER * COLUMNS));

function analyzed(model: ModelInit, architecture: 'x86_64' | 'arm64' = 'x86_64'): AnalyzedModel {
  return analyzeModel(saveModel(model), { costs: { architecture } });
}

/** By name: the type of each initializer of the graph that is cut. */
function typesOf({ model }: AnalyzedModel): Record<string, string> {
  const { initializers, values } = model.graph;
  return Object.fromEntries(
    initializers.map(({ value: index, tensor }) => [values[index].name, dataTypeName(tensor.dataType)]),
  );
}

async function resultsOf(model: AnalyzedModel, feeds = X): Promise<number[]> {
  const y = (await runSlices(compileAnalyzed(model, count(1)), feeds)).get('y');
  return y === undefined || y.dtype === 'string' ? [] : [...typedView(y)].map(Number);
}

describe('a product of uint8 by a weight of int8', () => {
  it('gets a weight of uint8 with the zero point 128, and the same sums', async () => {
    const model = analyzed(integerModel([PRODUCT], [WEIGHT]));
    expect(typesOf(model)).toEqual({ w: 'uint8', 'zero point as uint8': 'uint8' });
    expect(model.int8Weights).toMatchObject({ weights: 1, isRewritten: true, remaining: [] });
    expect(await resultsOf(model)).toEqual(SUMS);
  });

  it('gets its own zero point moved by 128, if it has one', async () => {
    const zero = { name: 'wz', dataType: INT8, dims: [], rawData: new Uint8Array(Int8Array.of(-7).buffer) };
    const product = node('MatMulInteger', ['x', 'w', '', 'wz'], ['y']);
    const model = analyzed(integerModel([product], [WEIGHT, zero]));
    expect(typesOf(model)).toEqual({ w: 'uint8', wz: 'uint8' });
    expect(await resultsOf(model)).toEqual(exactSums(bytes(INNER * COLUMNS), -7));
  });

  it('gets them from numbers of variable length, in which exporters write zero points', async () => {
    const zero = { name: 'wz', dataType: INT8, dims: [1], int32Data: [-3] };
    const typed = {
      name: 'w',
      dataType: INT8,
      dims: [INNER, COLUMNS],
      int32Data: [...bytes(INNER * COLUMNS)],
    };
    const product = node('MatMulInteger', ['x', 'w', '', 'wz'], ['y']);
    const model = analyzed(integerModel([product], [typed, zero]));
    expect(typesOf(model)).toEqual({ w: 'uint8', wz: 'uint8' });
    expect(await resultsOf(model)).toEqual(exactSums(bytes(INNER * COLUMNS), -3));
  });

  it('gets them from Constant nodes', async () => {
    const constant = node('Constant', [], ['w'], [attribute.tensor('value', { ...WEIGHT, name: '' })]);
    const model = analyzed(integerModel([constant, PRODUCT], []));
    expect(model.int8Weights).toMatchObject({ weights: 1, remaining: [] });
    expect(await resultsOf(model)).toEqual(SUMS);
  });

  it('gets them from another file', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), Buffer.from(bytes(INNER * COLUMNS).buffer));
    const entries = [{ key: 'location', value: 'w.bin' }];
    const external = { ...WEIGHT, rawData: undefined, dataLocation: 1, externalData: entries };
    const model = analyzeModel(saveModel(integerModel([PRODUCT], [external]), 'model.onnx', folder));
    expect(typesOf(model)).toMatchObject({ w: 'uint8' });
    expect(await resultsOf(model)).toEqual(SUMS);
  });

  it('keeps a weight that other nodes use too, for these alone', async () => {
    const nodes = [PRODUCT, node('Cast', ['w'], ['copy'], [attribute.int('to', INT32)])];
    const init = integerModel(nodes, [WEIGHT]);
    const model = analyzed({ graph: { ...init.graph, output: [value('y', INT32), value('copy', INT32)] } });
    expect(typesOf(model)).toMatchObject({ w: 'int8', 'w as uint8': 'uint8' });
    expect(await resultsOf(model)).toEqual(SUMS);
    const results = await runSlices(compileAnalyzed(model, count(1)), X);
    const copy = results.get('copy');
    expect(copy && 'bytes' in copy && [...typedView(copy)]).toEqual([...bytes(INNER * COLUMNS)]);
  });

  it('keeps a weight that is an output of the model, and one that is declared as an input below IR version 4', async () => {
    const init = integerModel([PRODUCT], [WEIGHT]);
    const asOutput = { graph: { ...init.graph, output: [value('y', INT32), value('w', INT8)] } };
    expect(typesOf(analyzed(asOutput))).toMatchObject({ w: 'int8', 'w as uint8': 'uint8' });
    const input = [...init.graph.input, value('w', INT8, [INNER, COLUMNS])];
    const old = analyzed({ irVersion: 3, graph: { ...init.graph, input } });
    expect(typesOf(old)).toMatchObject({ 'w as uint8': 'uint8' });
    expect(await resultsOf(old)).toEqual(SUMS);
  });

  it('keeps a weight of magnitudes up to 64, whose products cannot saturate', () => {
    const model = analyzed(
      integerModel([PRODUCT], [int8s('w', [INNER, COLUMNS], bytes(INNER * COLUMNS, 64))]),
    );
    expect(typesOf(model)).toEqual({ w: 'int8' });
    expect(model.int8Weights).toMatchObject({ weights: 0, isRewritten: false, remaining: [] });
    for (const large of [65, -65]) {
      const values = bytes(INNER * COLUMNS, 64);
      values[values.length - 1] = large;
      expect(
        typesOf(analyzed(integerModel([PRODUCT], [int8s('w', [INNER, COLUMNS], values)]))),
      ).toMatchObject({
        w: 'uint8',
      });
    }
  });

  it('keeps its weight for arm64, and the plan says how many x86_64 would multiply wrongly', () => {
    const model = analyzed(integerModel([PRODUCT], [WEIGHT]), 'arm64');
    expect(typesOf(model)).toEqual({ w: 'int8' });
    expect(compileAnalyzed(model, count(1)).plan.int8Weights).toEqual({
      ...{ count: 1, isRewritten: false, inexact: [] },
    });
  });

  it('has the same plan and cuts for both architectures, except for its files', () => {
    const nodes = [PRODUCT, node('Cast', ['y'], ['z'], [attribute.int('to', FLOAT)])];
    const init = integerModel(nodes, [WEIGHT], FLOAT);
    const [x86, arm] = (['x86_64', 'arm64'] as const).map((architecture) => {
      const { plan } = compileAnalyzed(analyzed(init, architecture), count(2));
      return [plan.model.graphDigest, plan.slices.map(({ nodes: own }) => own)];
    });
    expect(x86).toEqual(arm);
  });

  it('is written without its weight in memory: the file of the slice has each byte of the model with another highest bit', () => {
    const size = [2048, 1024] as const;
    const values = bytes(size[0] * size[1]);
    const product = node('MatMulInteger', ['x', 'w'], ['y']);
    const graph: GraphInit = {
      ...{ node: [product], initializer: [int8s('w', size, values)] },
      ...{ input: [value('x', UINT8, [1, size[0]])], output: [value('y', INT32)] },
    };
    const { plan, folder } = writtenPlan(compileAnalyzed(analyzed({ graph }), count(1)));
    const written = fs.readFileSync(path.join(folder, plan.slices[0].weights?.file ?? ''));
    expect(written.equals(Buffer.from(values.map((byte) => byte ^ 0x80).buffer))).toBe(true);
  });

  it('has the same sums in parts', async () => {
    const columns = 64;
    const values = bytes(INNER * columns);
    const model = analyzed(integerModel([PRODUCT], [int8s('w', [INNER, columns], values)]));
    const { subject } = model.splitting;
    const ways = waysToSplit(subject, subject.model.graph.nodes[0]);
    if (typeof ways === 'string') throw new Error(ways);
    const split = splitInto(ways[0], 4);
    const parts = model.withSplits([split]);
    expect(splitModel(subject, [split]).model.graph.nodes).toHaveLength(5);
    expect(Object.values(typesOf(parts))).not.toContain('int8');
    expect(await resultsOf(parts)).toEqual(await resultsOf(model));
  });
});

it('a convolution of int8 by a weight of uint8 gets a weight of int8', async () => {
  const weight = {
    name: 'w',
    dataType: UINT8,
    dims: [4, 3, 3, 3],
    rawData: new Uint8Array(bytes(108).buffer),
  };
  const graph: GraphInit = {
    ...{ node: [node('ConvInteger', ['x', 'w'], ['y'])], initializer: [weight] },
    ...{ input: [value('x', INT8, [1, 3, 6, 6])], output: [value('y', INT32)] },
  };
  const model = analyzed({ graph });
  expect(typesOf(model)).toEqual({ w: 'int8', 'zero point as int8': 'int8' });
  const x = { dtype: 'int8', shape: [1, 3, 6, 6], bytes: new Uint8Array(bytes(108, 127, 5).buffer) } as const;
  const feeds = new Map([['x', x]]);
  expectSameBits(
    await runSlices(compileAnalyzed(model, count(1)), feeds),
    await runWhole(saveModel({ graph }), feeds),
  );
});

describe('products in body graphs', () => {
  const condition = { name: 'condition', dataType: BOOL, dims: [], rawData: Uint8Array.of(1) };
  const body = (more: Partial<GraphInit> = {}, weight = 'w'): GraphInit => ({
    ...{ node: [node('MatMulInteger', ['x', weight], ['inner'])], output: [value('inner', INT32)] },
    ...more,
  });
  const choice = (then: GraphInit, otherwise = then) =>
    node(
      'If',
      ['condition'],
      ['y'],
      [attribute.graph('then_branch', then), attribute.graph('else_branch', otherwise)],
    );
  /** The names of the weights that the slices have. */
  const heldBy = (model: AnalyzedModel): string[] => {
    const { plan, folder } = writtenPlan(compileAnalyzed(model, count(1)));
    const { initializers, values } = parseModel(path.join(folder, plan.slices[0].model.file)).graph;
    return initializers.map(({ value: index }) => values[index].name).sort();
  };

  it('use a weight of uint8 of the graph around them, and the slices no longer have the one of int8', async () => {
    const model = analyzed(integerModel([choice(body())], [condition, WEIGHT]));
    expect(model.int8Weights).toMatchObject({ weights: 1, remaining: [] });
    expect(heldBy(model)).toEqual(['condition', 'w as uint8', 'zero point as uint8']);
    expect(await resultsOf(model)).toEqual(SUMS);
  });

  it('get a weight of uint8 for one of their own, and for one of a Constant node', async () => {
    const constant = node('Constant', [], ['w'], [attribute.tensor('value', { ...WEIGHT, name: '' })]);
    const ofConstant = body({ node: [constant, node('MatMulInteger', ['x', 'w'], ['inner'])] });
    const model = analyzed(integerModel([choice(body({ initializer: [WEIGHT] }), ofConstant)], [condition]));
    expect(model.int8Weights).toMatchObject({ weights: 2, remaining: [] });
    expect(model.model.graph.nodes[0].heldBytes).toBeLessThan(INNER * COLUMNS + 100);
    expect(await resultsOf(model)).toEqual(SUMS);
  });

  it('get one at any depth, and for a weight of the body that is in another file', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), Buffer.from(bytes(INNER * COLUMNS).buffer));
    const entries = [{ key: 'location', value: 'w.bin' }];
    const external = { ...WEIGHT, rawData: undefined, dataLocation: 1, externalData: entries };
    const inner = choice(body({ initializer: [external] }));
    const outer: GraphInit = { node: [{ ...inner, output: ['deep'] }], output: [value('deep', INT32)] };
    const init = integerModel([choice(outer)], [condition]);
    const model = analyzeModel(saveModel(init, 'model.onnx', folder));
    expect(model.int8Weights).toMatchObject({ remaining: [] });
    expect(await resultsOf(model)).toEqual(SUMS);
  });

  it('keep a weight that the body also uses otherwise', async () => {
    const nodes = [
      node('Cast', ['w'], ['floats'], [attribute.int('to', INT32)]),
      node('MatMulInteger', ['x', 'w'], ['sums']),
      node('ReduceSum', ['floats'], ['sum'], [attribute.int('keepdims', 0)]),
      node('Add', ['sums', 'sum'], ['inner']),
    ];
    const model = analyzed(integerModel([choice(body({ node: nodes, initializer: [WEIGHT] }))], [condition]));
    const sum = bytes(INNER * COLUMNS).reduce((all, byte) => all + byte, 0);
    expect(await resultsOf(model)).toEqual(SUMS.map((each) => each + sum));
  });

  it('leave no second copy of a weight in a body: of a Constant node, and of a body around the one that uses it', () => {
    const size = [1024, 512] as const;
    const large = int8s('w', size);
    const nested: GraphInit = { node: [], output: [value('deep', INT32)] };
    const own = (graph: GraphInit): GraphInit => ({
      ...{ node: [choice(graph)], initializer: [condition] },
      ...{ input: [value('x', UINT8, ['rows', size[0]])], output: [value('y', INT32)] },
    });
    const constantOnly = node('Constant', [], ['v'], [attribute.tensor('value', { ...large, name: '' })]);
    const ofConstant = body({ node: [constantOnly, node('MatMulInteger', ['x', 'v'], ['inner'])] });
    const ofNested: GraphInit = {
      ...nested,
      initializer: [{ ...large, name: 'v' }],
      node: [{ ...choice(body({}, 'v')), output: ['deep'] }],
    };
    for (const graph of [ofConstant, ofNested]) {
      const { plan } = compileAnalyzed(analyzed({ graph: own(graph) }), count(1));
      // Both branches have a weight of their own.
      expect(plan.slices[0].model.bytes).toBeLessThan(10_000);
      expect(plan.slices[0].weights?.bytes).toBeLessThan(2.1 * size[0] * size[1]);
    }
  });

  it('stay, and are reported, if their weight has a name of the graph around them, which ONNX Runtime uses instead', () => {
    const other = int8s('w', [INNER, COLUMNS], bytes(INNER * COLUMNS, 127, 9));
    const file = saveModel(
      integerModel(
        [choice(body({ initializer: [other] })), node('Identity', ['w'], ['used'])],
        [condition, WEIGHT],
      ),
    );
    const { int8Weights } = analyzeModel(file);
    expect(int8Weights.weights).toBe(0);
    expect(int8Weights.remaining[0].reason).toContain('has a name of the graph around its body');
  });

  it('stay, and count no weight, if a body inside hides a name of the body around it', () => {
    const inner = { ...choice(body({ initializer: [WEIGHT] })), output: ['deep'] };
    const product = node('MatMulInteger', ['x', 'w'], ['outer']);
    const outer: GraphInit = {
      node: [product, inner],
      initializer: [WEIGHT],
      output: [value('deep', INT32)],
    };
    const { int8Weights, model } = analyzed(integerModel([choice(outer)], [condition]));
    expect(int8Weights).toMatchObject({ weights: 0, isRewritten: false });
    expect(int8Weights.exact).toBe(model);
    const reasons = int8Weights.remaining.map(({ reason }) => reason);
    expect(reasons).toContain('has bodies that stay, because their names hide others');
  });

  it('keep an initializer that the body also declares as an input, as below IR version 4', async () => {
    const declared = body({ initializer: [WEIGHT], input: [value('w', INT8, [INNER, COLUMNS])] });
    const init = integerModel([choice(declared)], [condition]);
    const input = [...init.graph.input, value('condition', BOOL, [])];
    const model = analyzed({ irVersion: 3, graph: { ...init.graph, input } });
    expect(model.int8Weights.weights).toBe(2);
    expect(await resultsOf(model)).toEqual(SUMS);
  });

  it('are reported if their weight is an input of the body', () => {
    const scan: GraphInit = {
      node: [node('MatMulInteger', ['x', 'w_in'], ['inner'])],
      input: [value('w_in', INT8, [INNER, COLUMNS])],
      output: [value('inner', INT32)],
    };
    const stacked = int8s('ws', [2, INNER, COLUMNS]);
    const loop = node(
      'Scan',
      ['ws'],
      ['y'],
      [attribute.graph('body', scan), attribute.int('num_scan_inputs', 1)],
    );
    expect(analyzed(integerModel([loop], [stacked])).int8Weights.remaining).toEqual([
      {
        node: "node 'Scan_y' (Scan)",
        reason:
          "has MatMulInteger 'MatMulInteger_inner' in a body graph, which has a weight that is an input of a body graph",
      },
    ]);
  });
});

describe('products that cannot be rewritten are reported, and stay', () => {
  const reportOf = (model: ModelInit) => {
    const { int8Weights } = analyzed(model);
    return { weights: int8Weights.weights, reasons: int8Weights.remaining.map(({ reason }) => reason) };
  };

  it('with a computed weight', () => {
    const transposed = node('Transpose', ['wt'], ['w']);
    const model = integerModel([transposed, PRODUCT], [int8s('wt', [COLUMNS, INNER])]);
    expect(reportOf(model)).toEqual({ weights: 0, reasons: ['has a weight that is computed'] });
  });

  it('with a weight of the request, and with one that is an input with a default', () => {
    const init = integerModel([PRODUCT], []);
    const input = [...init.graph.input, value('w', INT8, [INNER, COLUMNS])];
    expect(reportOf({ graph: { ...init.graph, input } }).reasons).toEqual(['has a weight that is an input']);
    expect(reportOf({ graph: { ...init.graph, input, initializer: [WEIGHT] } }).reasons).toEqual([
      'has a weight that is an input with a default',
    ]);
  });

  it('with a zero point that is computed', () => {
    const zero = node('Neg', ['z'], ['wz']);
    const product = node('MatMulInteger', ['x', 'w', '', 'wz'], ['y']);
    expect(reportOf(integerModel([zero, product], [WEIGHT, int8s('z', [1])])).reasons).toEqual([
      'has a zero point that is computed',
    ]);
  });

  it('but not in functions that ONNX Runtime inlines, nor in those that nothing calls', async () => {
    const constant = node('Constant', [], ['w'], [attribute.tensor('value', { ...WEIGHT, name: '' })]);
    const functions = functionsOf({ product: [constant, node('MatMulInteger', ['a', 'w'], ['b'])] });
    const called = analyzed({ ...functions, ...integerModel([callOf('product', ['x'], ['y'])], []) });
    expect(called.int8Weights).toMatchObject({ weights: 1, remaining: [] });
    expect(await resultsOf(called)).toEqual(SUMS);
    const uncalled = analyzed({
      ...functions,
      ...integerModel([node('Cast', ['x'], ['y'], [attribute.int('to', INT32)])], []),
    });
    expect(uncalled.int8Weights).toMatchObject({ weights: 0, remaining: [] });
  });

  it('in a function of the model that ONNX Runtime cannot inline', () => {
    const call = callOf('product', ['x'], ['y']);
    const constant = node('Constant', [], ['w'], [attribute.tensor('value', { ...WEIGHT, name: '' })]);
    const functions = functionsOf(
      { product: [constant, node('MatMulInteger', ['a', 'w'], ['b'])] },
      // Another version than the model's: ONNX Runtime does not put such nodes in place of calls.
      {
        opsetImport: [
          { domain: '', version: 16 },
          { domain: 'local', version: 1 },
        ],
      },
    );
    const { reasons } = reportOf({ ...functions, ...integerModel([call], []) });
    expect(reasons).toEqual(['calls MatMulInteger, which is not rewritten in functions']);
  });
});

it('models without integer products are left alone', () => {
  const graph: GraphInit = {
    ...{ node: [node('MatMul', ['x', 'w'], ['y'])], initializer: [floats('w', [4, 4])] },
    ...{ input: [value('x', FLOAT, [1, 4])], output: [value('y', FLOAT)] },
  };
  const { int8Weights, model } = analyzed({ graph });
  expect(int8Weights.exact).toBe(model);
  expect(compileAnalyzed(analyzed({ graph }), count(1)).plan.int8Weights).toBeUndefined();
});

it('what ONNX Runtime fuses is rewritten too', () => {
  const quantized = node('DynamicQuantizeLinear', ['f'], ['x', 's', 'z']);
  const nodes = [
    ...[quantized, node('MatMulInteger', ['x', 'w', 'z', 'wz'], ['sums'])],
    node('Cast', ['sums'], ['floats'], [attribute.int('to', FLOAT)]),
    ...[node('Mul', ['s', 'ws'], ['scale']), node('Mul', ['floats', 'scale'], ['y'])],
  ];
  const zero = { name: 'wz', dataType: INT8, dims: [], rawData: new Uint8Array(1) };
  const graph: GraphInit = {
    ...{ node: nodes, initializer: [WEIGHT, zero, floats('ws', [1], [0.5])] },
    ...{ input: [value('f', FLOAT, [ROWS, INNER])], output: [value('y', FLOAT)] },
  };
  const model = analyzeModel(saveModel({ graph }), { optimization: 'extended' });
  expect(model.model.graph.nodes.map(({ opType }) => opType)).toContain('DynamicQuantizeMatMul');
  expect(model.int8Weights).toMatchObject({ weights: 1, isRewritten: true, remaining: [] });
  expect(Object.values(typesOf(model))).not.toContain('int8');
});
