import * as fs from 'node:fs';
import * as path from 'node:path';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compile, compileAnalyzed } from '../../../lib/compile/compile';
import { MANIFEST_KEY } from '../../../contract/slice-manifest';
import { readManifest } from '../../../lambda/slice/manifest';
import { writeSlices } from '../../../lib/emit/write';
import { totalLength } from '../../../lib/onnx/chunks';
import { count } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  FLOAT,
  INT64,
  attribute,
  floats,
  int64s,
  mlp,
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
  const compiled = compile(saveModel(model, 'model.onnx', folder), count(slices));
  writeSlices(compiled, out);
  const files = compiled.plan.slices.map(({ model: { file } }) => fs.readFileSync(path.join(out, file)));
  return {
    slices: files.map(
      (file) =>
        ModelProto.toObject(ModelProto.decode(file), {
          longs: Number,
          arrays: true,
          defaults: true,
        }) as Decoded,
    ),
    folder: out,
  };
}

const io = { input: [value('x', FLOAT, [512])], output: [value('y', FLOAT)] };
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
    const [w0, b0] = slices[0].graph.initializer;
    expect(Object.fromEntries(w0.externalData.map(({ key, value: entry }) => [key, entry]))).toEqual({
      location: 'slice-00.weights',
      offset: '0',
      length: String(256 * 256 * 4),
    });
    const offsets = slices[0].graph.initializer.map(({ externalData }) => Number(externalData[1].value));
    expect(offsets.map((offset) => offset % 64)).toEqual([0, 0, 0, 0]);
    expect(offsets[2] % 4096).toBe(0);
    const weights = fs.readFileSync(path.join(folder, 'slice-00.weights'));
    const expected = Buffer.from(floats('b0', [256]).rawData as Uint8Array);
    expect(weights.subarray(offsets[1], offsets[1] + expected.length).equals(expected)).toBe(true);
    expect(b0.dataLocation).toBe(1);
    expect(cut(mlp(1, 4), 1).slices[0].graph.initializer.map(({ dataLocation }) => dataLocation)).toEqual([
      0, 0,
    ]);
  });

  test('stores the tensor of a large Constant node in the weights file from IR version 4 on', () => {
    const graph = {
      node: [
        node('Constant', [], ['c'], [attribute.tensor('value', floats('', [512]))]),
        node('Add', ['x', 'c'], ['y']),
      ],
      ...io,
    };
    const [slice] = cut({ graph }, 1).slices;
    expect(slice.graph.node.map(({ opType }) => opType)).toEqual(['Add']);
    expect(names(slice.graph.initializer)).toEqual(['c']);
    const [old] = cut({ graph, irVersion: 3 }, 1).slices;
    expect(old.graph.node.map(({ opType }) => opType)).toEqual(['Constant', 'Add']);
  });

  test('copies small external weights into the graph file and packed floats into the weights file', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), Buffer.from(Float32Array.of(1, 2, 3, 4).buffer));
    const graph = {
      node: [node('Add', ['x', 'w'], ['a']), node('Add', ['a', 'f'], ['y'])],
      initializer: [
        {
          name: 'w',
          dataType: FLOAT,
          dims: [1],
          dataLocation: 1,
          externalData: [
            { key: 'location', value: 'w.bin' },
            { key: 'offset', value: '8' },
          ],
        },
        {
          name: 'f',
          dataType: FLOAT,
          dims: [512],
          floatData: Array.from({ length: 512 }, (_, index) => index),
        },
      ],
      ...io,
    };
    const { slices, folder: out } = cut({ graph }, 1, folder);
    expect(Buffer.from(slices[0].graph.initializer[0].rawData)).toEqual(
      Buffer.from(Float32Array.of(3).buffer),
    );
    expect(fs.readFileSync(path.join(out, 'slice-00.weights')).readFloatLE(4 * 511)).toBe(511);
  });

  test('keeps an input with a default as an input and an initializer', () => {
    const graph = {
      node: [node('Abs', ['x'], ['a']), node('Add', ['a', 'w'], ['y'])],
      initializer: [floats('w', [1])],
      input: [...io.input, value('w', FLOAT, [1])],
      output: io.output,
    };
    const { slices } = cut({ graph }, 2);
    expect(slices.map((slice) => names(slice.graph.input))).toEqual([['x'], ['a', 'w']]);
    expect(slices.map((slice) => names(slice.graph.initializer))).toEqual([[], ['w']]);
  });

  test('has exactly the functions that it calls, directly or not', () => {
    const local = (name: string, opType: string, domain: string) => ({
      name,
      domain: 'local',
      input: ['a'],
      output: ['b'],
      node: [{ ...node(opType, ['a'], ['b']), domain }],
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'local', version: 1 },
      ],
    });
    const model = {
      graph: {
        node: [
          { ...node('Outer', ['x'], ['z']), domain: 'local' },
          { ...node('Other', ['z'], ['y']), domain: 'local' },
        ],
        ...io,
      },
      functions: [local('Outer', 'Inner', 'local'), local('Inner', 'Abs', ''), local('Other', 'Neg', '')],
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'local', version: 1 },
      ],
    };
    expect(cut(model, 2).slices.map(({ functions }) => names(functions))).toEqual([
      ['Outer', 'Inner'],
      ['Other'],
    ]);
  });

  test('keeps the annotations of its own tensors and the metadata of the model', () => {
    const { graph } = mlp(2);
    const annotated = { ...graph, quantizationAnnotation: [{ tensorName: 'w0' }, { tensorName: 'w1' }] };
    const { slices } = cut({ graph: annotated, metadataProps: [{ key: 'author', value: 'tests' }] }, 2);
    const annotations = slices.flatMap((slice) => slice.graph.quantizationAnnotation);
    expect(annotations.map(({ tensorName }) => tensorName)).toEqual(['w0', 'w1']);
    for (const { graph: part, metadataProps } of slices) {
      const own = names(part.initializer);
      expect(part.quantizationAnnotation.every(({ tensorName }) => own.includes(tensorName))).toBe(true);
      expect(metadataProps.map(({ key }) => key)).toEqual(['author', MANIFEST_KEY]);
    }
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
    const manifest = readManifest(fs.readFileSync(path.join(folder, 'slice-01.onnx')));
    expect(manifest).toMatchObject({
      slice: 1,
      slices: 3,
      request: [{ name: 'x', dtype: 'float32', shape: ['batch', 16] }],
      inputs: [{ source: { from: 'slice', slice: 0 } }],
    });
    const again = compile(path.join(folder, 'slice-01.onnx'), count(1));
    const out = path.join(temporaryFolder(), 'again');
    writeSlices(again, out);
    expect(readManifest(fs.readFileSync(path.join(out, 'slice-00.onnx')))).toMatchObject({
      slice: 0,
      slices: 1,
    });
  });

  test('keeps integers of typed fields in the graph file', () => {
    const graph = {
      node: [node('Gather', ['x', 'i'], ['y'])],
      initializer: [{ name: 'i', dataType: INT64, dims: [300], int64Data: Array(300).fill(1) }],
      ...io,
    };
    expect(cut({ graph }, 1).slices[0].graph.initializer[0].dataLocation).toBe(0);
  });

  const row = tensorOf(Array.from({ length: 8 }, (_, index) => Math.sin(index + 1) / 4));

  test('keeps a long list of sizes in the graph file', async () => {
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
    expect(await expectSameBitsInEveryCut(saveModel({ graph }), new Map([['x', row]]))).toBe(3);
  });

  test('declares the input shapes that a Scan behind a cut requires', async () => {
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
    expect(await expectSameBitsInEveryCut(saveModel({ graph }), new Map([['x', row]]))).toBe(3);
  });

  describe('with external weights in body graphs or functions', () => {
    const WIDTH = 600;
    const x = tensorOf(Array.from({ length: WIDTH }, (_, index) => Math.sin(index)));
    const feeds = new Map<string, RawTensor>([
      ['x', x],
      ['c', { dtype: 'bool', shape: [], bytes: new Uint8Array([1]) }],
    ]);

    /** A tensor in `w.bin`, which has tensors of `WIDTH` floats one after the other. */
    function external(name: string, place: number) {
      const entries = { location: 'w.bin', offset: String(place * WIDTH * 4), length: String(WIDTH * 4) };
      return {
        name,
        dataType: FLOAT,
        dims: [WIDTH],
        dataLocation: 1,
        externalData: Object.entries(entries).map(([key, value_]) => ({ key, value: value_ })),
      };
    }

    function folderWithWeights(tensors: number): string {
      const folder = temporaryFolder();
      const elements = Float32Array.from({ length: tensors * WIDTH }, (_, index) => Math.cos(index));
      fs.writeFileSync(path.join(folder, 'w.bin'), new Uint8Array(elements.buffer));
      return folder;
    }

    /** An If inside an If, with external initializers in both and in the outermost graph. */
    const nested = (): ModelInit => {
      const inner = (name: string, place: number) => ({
        node: [node('Mul', ['sum', name], [`${name}_out`])],
        initializer: [external(name, place)],
        output: [value(`${name}_out`, FLOAT)],
      });
      const outer = {
        node: [
          node('Add', ['t', 'b'], ['sum']),
          node(
            'If',
            ['c'],
            ['chosen'],
            [attribute.graph('then_branch', inner('p', 2)), attribute.graph('else_branch', inner('q', 3))],
          ),
        ],
        initializer: [external('b', 1)],
        output: [value('chosen', FLOAT)],
      };
      const other = { node: [node('Neg', ['t'], ['negated'])], output: [value('negated', FLOAT)] };
      return {
        graph: {
          node: [
            node('Add', ['x', 'a'], ['s']),
            node('Tanh', ['s'], ['t']),
            node(
              'If',
              ['c'],
              ['y'],
              [attribute.graph('then_branch', outer), attribute.graph('else_branch', other)],
            ),
          ],
          initializer: [external('a', 0)],
          input: [value('x', FLOAT, [WIDTH]), value('c', 9, [])],
          output: [value('y', FLOAT)],
        },
      };
    };

    test.each(['none', 'basic', 'extended'] as const)(
      'stores them with the slice that needs them, at optimization level %s',
      async (optimization) => {
        const folder = folderWithWeights(4);
        const file = saveModel(nested(), 'model.onnx', folder);
        await expectSameBitsInEveryCut(file, feeds, optimization);
        const analyzed = analyzeModel(file, { optimization });
        const [first, last] = compileAnalyzed(analyzed, count(2)).slices.map(({ weights }) =>
          totalLength(weights),
        );
        expect(last).toBeGreaterThanOrEqual(3 * WIDTH * 4);
        expect(first).toBeGreaterThanOrEqual(WIDTH * 4);
      },
    );

    test('is parsed into pieces only at the nodes that have them', () => {
      const folder = folderWithWeights(4);
      const model = nested();
      const file = saveModel(model, 'model.onnx', folder);
      expect(fs.statSync(file).size).toBeLessThan(2000);
      const analyzed = analyzeModel(file);
      expect(analyzed.model.graph.nodes[2].pieces).toBeDefined();
      expect(analyzed.model.graph.nodes[1].pieces).toBeUndefined();
    });

    test('stores them with the functions that have them', async () => {
      const folder = folderWithWeights(1);
      const model: ModelInit = {
        graph: {
          node: [
            node('Tanh', ['x'], ['t']),
            { opType: 'Shift', domain: 'own', name: 'f', input: ['t'], output: ['s'], attribute: [] },
            node('Exp', ['s'], ['y']),
          ],
          input: [value('x', FLOAT, [WIDTH])],
          output: [value('y', FLOAT)],
        },
        functions: [
          {
            name: 'Shift',
            domain: 'own',
            input: ['i'],
            output: ['o'],
            node: [
              node('Constant', [], ['k'], [attribute.tensor('value', external('', 0))]),
              node('Add', ['i', 'k'], ['o']),
            ],
            opsetImport: [{ domain: '', version: 17 }],
          },
        ],
        opsetImport: [
          { domain: '', version: 17 },
          { domain: 'own', version: 1 },
        ],
      };
      const file = saveModel(model, 'model.onnx', folder);
      expect(await expectSameBitsInEveryCut(file, feeds)).toBe(3);
    });
  });
});

function tensorOf(elements: readonly number[]): RawTensor {
  return {
    dtype: 'float32',
    shape: [elements.length],
    bytes: new Uint8Array(Float32Array.from(elements).buffer),
  };
}
