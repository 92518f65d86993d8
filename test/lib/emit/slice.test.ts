/** What slices have: their nodes and weights, aligned, and what a runtime needs to know of them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compile, compileAnalyzed } from '../../../lib/compile/compile';
import { MANIFEST_KEY } from '../../../contract/slice-manifest';
import { readManifest } from '../../../lambda/slice/load';
import { writeSlices } from '../../../lib/emit/write';
import { totalLength } from '../../../lib/onnx/encode';
import { count } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  BOOL,
  FLOAT,
  INT64,
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
      rawData: Uint8Array;
    }[];
    input: { name: string }[];
    output: { name: string }[];
    quantizationAnnotation: { tensorName: string }[];
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
  test('has its nodes and weights, and declares its inputs and outputs', () => {
    const { slices } = cut(mlp(2), 2);
    expect(names(slices[0].graph.input)).toEqual(['x']);
    expect(slices[1].graph.input).toEqual(slices[0].graph.output);
    expect(names(slices[1].graph.output)).toEqual(['y']);
    expect(slices.flatMap(({ graph }) => graph.node)).toHaveLength(6);
  });

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

  test('has small external weights and integers of typed fields in the graph file, and packed floats in the weights file', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), Buffer.from(Float32Array.of(1, 2, 3, 4).buffer));
    const packed = Array.from({ length: 512 }, (_, index) => index);
    const model = modelOf(
      [node('Add', ['x', 'w'], ['a']), node('Add', ['a', 'f'], ['b']), node('Gather', ['b', 'i'], ['y'])],
      inputs,
      [
        external('w', [1], { location: 'w.bin', offset: '8' }),
        { name: 'f', dataType: FLOAT, dims: [512], floatData: packed },
        { name: 'i', dataType: INT64, dims: [300], int64Data: Array(300).fill(1) },
      ],
    );
    const { slices, folder: out } = cut(model, 1, folder);
    const { initializer } = slices[0].graph;
    expect(initializer.map(({ dataLocation }) => dataLocation)).toEqual([0, 1, 0]);
    expect(Buffer.from(initializer[0].rawData).readFloatLE()).toBe(3);
    expect(fs.readFileSync(path.join(out, 'slice-00.weights')).readFloatLE(4 * 511)).toBe(511);
  });

  test('keeps an input with a default as an input and an initializer', () => {
    const nodes = [node('Abs', ['x'], ['a']), node('Add', ['a', 'w'], ['y'])];
    const { slices } = cut(modelOf(nodes, { ...inputs, w: [1] }, [floats('w', [1])]), 2);
    expect(slices.map((slice) => names(slice.graph.input))).toEqual([['x'], ['a', 'w']]);
    expect(slices.map((slice) => names(slice.graph.initializer))).toEqual([[], ['w']]);
  });

  test('has exactly the functions that it calls, directly or not', () => {
    const functions = {
      Outer: [callOf('Inner', ['a'], ['b'])],
      Inner: [node('Abs', ['a'], ['b'])],
      Other: [node('Neg', ['a'], ['b'])],
    };
    const nodes = [callOf('Outer', ['x'], ['z']), callOf('Other', ['z'], ['y'])];
    const { slices } = cut(modelOf(nodes, inputs, [], functionsOf(functions)), 2);
    expect(slices.map((slice) => names(slice.functions))).toEqual([['Outer', 'Inner'], ['Other']]);
  });

  test('keeps the annotations of its own tensors and the metadata of the model', () => {
    const { graph } = mlp(2);
    const annotated = { ...graph, quantizationAnnotation: [{ tensorName: 'w0' }, { tensorName: 'w1' }] };
    const { slices } = cut({ graph: annotated, metadataProps: [{ key: 'author', value: 'tests' }] }, 2);
    const annotations = slices.map((slice) => slice.graph.quantizationAnnotation);
    expect(annotations.flat().map(({ tensorName }) => tensorName)).toEqual(['w0', 'w1']);
    slices.forEach(({ graph: { initializer }, metadataProps }, slice) => {
      for (const { tensorName } of annotations[slice]) expect(names(initializer)).toContain(tensorName);
      expect(metadataProps.map(({ key }) => key)).toEqual(['author', MANIFEST_KEY]);
    });
  });

  test('declares its initializers as inputs before IR version 4, also when the model does not', async () => {
    const { graph } = mlp(2);
    for (const slice of cut({ graph, irVersion: 3 }, 2).slices)
      expect(names(slice.graph.input)).toEqual(expect.arrayContaining(names(slice.graph.initializer)));
    for (const slice of cut({ graph, irVersion: 4 }, 2).slices) expect(slice.graph.input).toHaveLength(1);
    const feeds = new Map([['x', float32([1, 16])]]);
    expect(await expectSameBitsInEveryCut(saveModel({ graph, irVersion: 3 }), feeds)).toBe(6);
  });

  test('contains the manifest for its function, and can itself be sliced', () => {
    const { folder } = cut(mlp(3), 3);
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
    const parts = 200;
    const outputs = Array.from({ length: parts }, (_, index) => `s${index}`);
    const model = modelOf(
      [
        node('Tile', ['x', 'times'], ['long']),
        node('Split', ['long', 'sizes'], outputs),
        node('Sum', outputs, ['y']),
      ],
      { x: [8] },
      [int64s('times', [parts]), int64s('sizes', Array<number>(parts).fill(8))],
    );
    expect(await expectSameBitsInEveryCut(saveModel(model), new Map([['x', row]]))).toBe(3);
  });

  test('declares the input shapes that a Scan behind a cut requires', async () => {
    const body = {
      node: [node('Add', ['state', 'element'], ['sum']), node('Mul', ['sum', 'p'], ['out'])],
      input: ['state', 'element'].map((name) => value(name, FLOAT)),
      output: ['sum', 'out'].map((name) => value(name, FLOAT)),
    };
    const attributes = [attribute.int('num_scan_inputs', 1), attribute.graph('body', body)];
    const { graph } = modelOf(
      [
        node('Tanh', ['x'], ['p']),
        node('Reshape', ['x', 'rows'], ['elements']),
        node('Scan', ['start', 'elements'], ['end', 'y'], attributes),
      ],
      { x: [8] },
      [int64s('rows', [8, 1]), floats('start', [1])],
    );
    const file = saveModel({ graph: { ...graph, output: [value('y', FLOAT)] } });
    expect(await expectSameBitsInEveryCut(file, new Map([['x', row]]))).toBe(3);
  });

  describe('with external weights in body graphs or functions', () => {
    const WIDTH = 600;
    const feeds = new Map<string, RawTensor>([
      ['x', float32([WIDTH])],
      ['c', { dtype: 'bool', shape: [], bytes: new Uint8Array([1]) }],
    ]);

    /** A tensor in `w.bin`, which has tensors of `WIDTH` floats one after the other. */
    const inWeights = (name: string, place: number) =>
      external(name, [WIDTH], {
        location: 'w.bin',
        offset: String(place * WIDTH * 4),
        length: String(WIDTH * 4),
      });

    function saved(model: ModelInit): string {
      const folder = temporaryFolder();
      const elements = Float32Array.from({ length: 4 * WIDTH }, (_, index) => Math.cos(index));
      fs.writeFileSync(path.join(folder, 'w.bin'), new Uint8Array(elements.buffer));
      return saveModel(model, 'model.onnx', folder);
    }

    /** An If inside an If, with external initializers in both and in the outermost graph. */
    function nested(): ModelInit {
      const inner = (name: string, place: number) => ({
        node: [node('Mul', ['sum', name], [`${name}_out`])],
        initializer: [inWeights(name, place)],
        output: [value(`${name}_out`, FLOAT)],
      });
      const outer = {
        node: [node('Add', ['t', 'b'], ['sum']), choice('c', 'chosen', inner('p', 2), inner('q', 3))],
        initializer: [inWeights('b', 1)],
        output: [value('chosen', FLOAT)],
      };
      const nodes = [
        node('Add', ['x', 'a'], ['s']),
        node('Tanh', ['s'], ['t']),
        choice('c', 'y', outer, [node('Neg', ['t'], ['negated'])]),
      ];
      return modelOf(nodes, { x: [WIDTH], c: { type: BOOL, dims: [] } }, [inWeights('a', 0)]);
    }

    test.each(['none', 'basic', 'extended'] as const)(
      'stores them with the slice that needs them, at optimization level %s',
      async (optimization) => {
        const file = saved(nested());
        await expectSameBitsInEveryCut(file, feeds, optimization);
        const { slices } = compileAnalyzed(analyzeModel(file, { optimization }), count(2));
        const [first, last] = slices.map(({ weights }) => totalLength(weights));
        expect(last).toBeGreaterThanOrEqual(3 * WIDTH * 4);
        expect(first).toBeGreaterThanOrEqual(WIDTH * 4);
      },
    );

    test('is parsed into pieces only at the nodes that have them', () => {
      const { nodes } = analyzeModel(saved(nested())).model.graph;
      expect(nodes.map(({ pieces }) => pieces !== undefined)).toEqual([false, false, true]);
    });

    test('stores them with the functions that have them', async () => {
      const constant = node('Constant', [], ['k'], [attribute.tensor('value', inWeights('', 0))]);
      const model = modelOf(
        [node('Tanh', ['x'], ['t']), callOf('Shift', ['t'], ['s']), node('Exp', ['s'], ['y'])],
        { x: [WIDTH] },
        [],
        functionsOf({ Shift: [constant, node('Add', ['a', 'k'], ['b'])] }),
      );
      expect(await expectSameBitsInEveryCut(saved(model), feeds)).toBe(3);
    });
  });
});
