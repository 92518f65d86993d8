/** What slices have: their nodes and weights, aligned, and what a runtime needs to know of them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compile, compileAnalyzed } from '../../../lib/compile/compile';
import { MANIFEST_KEY } from '../../../contract/slice-manifest';
import { readManifest } from '../../../lambda/slice/load';
import { writeSlices } from '../../../lib/emit/write';
import { count } from '../../../lib/plan/slicers';
import { nodesOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  BOOL,
  FLOAT,
  attribute,
  callOf,
  choice,
  external,
  floats,
  functionsOf,
  int64s,
  mlp,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';
import { ModelProto } from '../../../bench/onnx-schema';
import { expectSameBitsInEveryCut } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

analyzeFast();

interface Decoded {
  graph: {
    node: { opType: string; docString?: string }[];
    initializer: {
      name: string;
      dataLocation: number;
      externalData: { key: string; value: string }[];
    }[];
    input: { name: string }[];
    output: { name: string }[];
  };
  metadataProps: { key: string; value: string }[];
  functions: { name: string }[];
}

function cut(
  model: ModelInit,
  slices: number,
  folder = temporaryFolder(),
): { slices: Decoded[]; folder: string } {
  const out = path.join(folder, 'out');
  const plan = writeSlices(compile(saveModel(model, 'model.onnx', folder), count(slices)), out);
  const decoded = plan.slices.map(({ model: { file } }) =>
    ModelProto.toObject(ModelProto.decode(fs.readFileSync(path.join(out, file))), {
      longs: Number,
      arrays: true,
      defaults: true,
    }),
  );
  return { slices: decoded as Decoded[], folder: out };
}

const inputs = { x: [512] };
const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);

describe('a slice', () => {
  test('stores large weights aligned in the weights file and small weights in the graph file', () => {
    const { slices, folder } = cut(mlp(2, 256), 1);
    const { initializer } = slices[0].graph;
    const places = initializer.map(({ externalData }) =>
      Object.fromEntries(externalData.map(({ key, value: entry }) => [key, entry])),
    );
    expect(places[0]).toEqual({ location: 'slice-00.weights', offset: '0', length: String(256 * 256 * 4) });
    const offsets = places.map(({ offset }) => Number(offset));
    expect(offsets.map((offset) => offset % 64)).toEqual([0, 0, 0, 0]);
    expect(offsets[2] % 4096).toBe(0);
    const weights = fs.readFileSync(path.join(folder, 'slice-00.weights'));
    const expected = Buffer.from(floats('b0', [256]).rawData as Uint8Array);
    expect(weights.subarray(offsets[1], offsets[1] + expected.length).equals(expected)).toBe(true);
    expect(initializer[1].dataLocation).toBe(1);
    const [small] = cut(mlp(1, 4), 1).slices;
    expect(small.graph.initializer.map(({ dataLocation }) => dataLocation)).toEqual([0, 0]);
  });

  test('stores the tensor of a large Constant node in the weights file from IR version 4 on', () => {
    const constant = node('Constant', [], ['c'], [attribute.tensor('value', floats('', [512]))]);
    const model = modelOf([constant, node('Add', ['x', 'c'], ['y'])], inputs);
    const [slice] = cut(model, 1).slices;
    expect(slice.graph.node.map(({ opType }) => opType)).toEqual(['Add']);
    expect(names(slice.graph.initializer)).toEqual(['c']);
    const [old] = cut({ ...model, irVersion: 3 }, 1).slices;
    expect(old.graph.node.map(({ opType }) => opType)).toEqual(['Constant', 'Add']);
  });

  test('keeps an input with a default as an input and an initializer', () => {
    const nodes = nodesOf('Abs x > a; Add a w > y');
    const { slices } = cut(modelOf(nodes, { ...inputs, w: [1] }, [floats('w', [1])]), 2);
    expect(slices.map((slice) => names(slice.graph.input))).toEqual([['x'], ['a', 'w']]);
    expect(slices.map((slice) => names(slice.graph.initializer))).toEqual([[], ['w']]);
  });

  test('has exactly the functions that it calls, directly or not', () => {
    const [Inner, Other] = ['Abs a > b', 'Neg a > b'].map(nodesOf);
    const functions = { Outer: [callOf('Inner', ['a'], ['b'])], Inner, Other };
    const nodes = [callOf('Outer', ['x'], ['z']), ...nodesOf('Abs z > t'), callOf('Other', ['t'], ['y'])];
    const { slices } = cut(modelOf(nodes, inputs, [], functionsOf(functions)), 2);
    expect(slices.map((slice) => names(slice.functions))).toEqual([['Outer', 'Inner'], ['Other']]);
  });

  test('declares its initializers as inputs before IR version 4, also when the model does not', async () => {
    const { graph } = mlp(2);
    for (const slice of cut({ graph, irVersion: 3 }, 2).slices)
      expect(names(slice.graph.input)).toEqual(expect.arrayContaining(names(slice.graph.initializer)));
    for (const slice of cut({ graph, irVersion: 4 }, 2).slices) expect(slice.graph.input).toHaveLength(1);
    const feeds = new Map([['x', float32([1, 16])]]);
    expect(await expectSameBitsInEveryCut(saveModel({ graph, irVersion: 3 }), feeds)).toBe(6);
  });

  test('has the metadata of the model and the manifest for its function, and can itself be sliced', () => {
    const { slices, folder } = cut({ ...mlp(3), metadataProps: [{ key: 'author', value: 'tests' }] }, 3);
    for (const { metadataProps } of slices)
      expect(metadataProps.map(({ key }) => key)).toEqual(['author', MANIFEST_KEY]);
    const file = path.join(folder, 'slice-01.onnx');
    expect(readManifest(fs.readFileSync(file))).toMatchObject({
      slice: 1,
      slices: 3,
      request: [{ name: 'x', dtype: 'float32', shape: ['batch', 16] }],
      inputs: [{ source: { from: 'slice', slice: 0 } }],
    });
    const out = path.join(temporaryFolder(), 'again');
    writeSlices(compile(file, count(1)), out);
    const again = readManifest(fs.readFileSync(path.join(out, 'slice-00.onnx')));
    expect(again).toMatchObject({ slice: 0, slices: 1 });
  });

  const row = float32([8]);

  test('keeps a long list of sizes in the graph file', async () => {
    const parts = Array.from({ length: 200 }, (_, index) => `s${index}`);
    const model = modelOf(
      [node('Split', ['long', 'sizes'], parts), node('Sum', parts, ['y'])],
      { long: [1600] },
      [int64s('sizes', Array<number>(200).fill(8))],
    );
    const feeds = new Map([['long', float32([1600])]]);
    expect(await expectSameBitsInEveryCut(saveModel(model), feeds)).toBe(2);
  });

  test('declares the input shapes that a Scan behind a cut requires', async () => {
    const body = {
      node: nodesOf('Add state element > sum; Mul sum p > out'),
      input: ['state', 'element'].map((name) => value(name, FLOAT)),
      output: ['sum', 'out'].map((name) => value(name, FLOAT)),
    };
    const attributes = [attribute.int('num_scan_inputs', 1), attribute.graph('body', body)];
    const { graph } = modelOf(
      [
        ...nodesOf('Tanh x > p; Reshape x rows > elements'),
        node('Scan', ['start', 'elements'], ['end', 'y'], attributes),
      ],
      { x: [8] },
      [int64s('rows', [8, 1]), floats('start', [1])],
    );
    const file = saveModel({ graph: { ...graph, output: [value('y', FLOAT)] } });
    expect(await expectSameBitsInEveryCut(file, new Map([['x', row]]))).toBe(3);
  });
});

describe('tensors inside nodes with data in another file', () => {
  const WIDTH = 600;
  const feeds = new Map([
    ['x', float32([WIDTH])],
    ['c', { dtype: 'bool', shape: [], bytes: new Uint8Array([1]) }],
  ]);

  /** A tensor in `w.bin`, which has tensors of `WIDTH` floats one after the other. */
  const stored = (name: string, place: number) =>
    external(name, [WIDTH], { location: 'w.bin', offset: String(place * WIDTH * 4) });
  const constant = (name: string, place: number) =>
    node('Constant', [], [name], [attribute.tensor('value', stored('', place))]);

  function saved(model: ModelInit): string {
    const folder = temporaryFolder();
    const elements = Float32Array.from({ length: 4 * WIDTH }, (_, index) => Math.cos(index));
    fs.writeFileSync(path.join(folder, 'w.bin'), new Uint8Array(elements.buffer));
    return saveModel(model, 'model.onnx', folder);
  }

  /** An If inside an If, with an initializer in each branch of the inner one and a Constant beside it. */
  function nested(): ModelInit {
    const branch = (name: string, place: number) => ({
      node: nodesOf(`Mul sum ${name} > ${name}_out`),
      initializer: [stored(name, place)],
      output: [value(`${name}_out`, FLOAT)],
    });
    const inner = choice('c', 'chosen', branch('p', 2), branch('q', 3));
    const outer = [constant('b', 1), ...nodesOf('Add t b > sum'), inner];
    const nodes = [
      ...nodesOf('Add x a > s; Tanh s > t'),
      choice('c', 'y', outer, nodesOf('Neg t > negated')),
    ];
    return modelOf(nodes, { x: [WIDTH], c: { type: BOOL, dims: [] } }, [stored('a', 0)]);
  }

  test.each(['none', 'extended'] as const)(
    'of bodies go to the slice that needs them, at optimization level %s',
    async (optimization) => {
      const file = saved(nested());
      expect(await expectSameBitsInEveryCut(file, feeds, optimization)).toBeGreaterThan(1);
      const out = path.join(temporaryFolder(), 'out');
      const { slices } = writeSlices(compileAnalyzed(analyzeModel(file, { optimization }), count(2)), out);
      const [first, last] = slices.map(({ weights }) => weights?.bytes ?? 0);
      expect(first).toBeLessThan(2 * WIDTH * 4);
      expect(last).toBeGreaterThanOrEqual(3 * WIDTH * 4);
    },
  );

  test('of functions go with them, and those of Constant nodes stay in nodes before IR version 4', async () => {
    const call = [callOf('Shift', ['t'], ['s']), constant('c', 1)];
    const nodes = [...nodesOf('Tanh x > t'), ...call, ...nodesOf('Mul s c > y')];
    const shift = functionsOf({ Shift: [constant('k', 0), ...nodesOf('Add a k > b')] });
    for (const irVersion of [3, 9]) {
      const file = saved(modelOf(nodes, { x: [WIDTH] }, [], { ...shift, irVersion }));
      expect(await expectSameBitsInEveryCut(file, feeds)).toBe(3);
    }
  });
});

test.each([
  ['thesis.tex', "thesis.tex' must be a writable folder, got a file in the way: choose another folder"],
  ['thesis.tex/out', 'got a file in the way: choose another folder'],
  ['/proc/slices', "output folder '/proc/slices' must be writable, "],
  ['', "must be empty or hold an earlier plan, got a folder with '"],
  ['model', "must not be the model's folder, got the folder of 'slice-00.onnx', which is being sliced"],
])('an output folder that is %j is refused, and nothing changes', (name, message) => {
  const folder = temporaryFolder();
  const model = path.join(folder, 'model');
  fs.mkdirSync(model);
  fs.writeFileSync(path.join(folder, 'thesis.tex'), 'mine');
  const compiled = compile(saveModel(mlp(2), 'slice-00.onnx', model), count(2));
  expect(() => writeSlices(compiled, path.resolve(folder, name))).toThrow(message);
  const left = fs.readdirSync(folder, { recursive: true });
  expect(left.sort()).toEqual(['model', path.join('model', 'slice-00.onnx'), 'thesis.tex']);
});
