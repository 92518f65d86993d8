/** What the parser reads from a model: values linked by index, weights as ranges, and what nodes use. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Model, nodeLabel } from '../../../lib/onnx/model';
import { parseModel } from '../../../lib/onnx/parse';
import { nodesOf } from '../../support/graph-text';
import { readFreshFilesAtOnce } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  BOOL,
  FLOAT,
  INT64,
  attribute,
  callOf,
  choice,
  encodeModel,
  external,
  floats,
  functionsOf,
  int64s,
  mlp,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
} from '../../support/model-builder';

readFreshFilesAtOnce();

const parsed = (model: ModelInit | Uint8Array): Model => parseModel(saveModel(model));
const inputs = { x: ['n', 2] };

describe('parseModel', () => {
  test('links values, nodes, inputs and outputs by index', () => {
    const { graph, irVersion, opsets } = parsed(mlp(2));
    expect(irVersion).toBe(9);
    expect(opsets).toEqual([{ domain: '', version: 17 }]);
    const layer = ['MatMul', 'Add', 'Tanh'];
    expect(graph.nodes.map(({ opType }) => opType)).toEqual([...layer, ...layer]);
    const tanh = graph.nodes[2];
    expect(graph.values[tanh.outputs[0]]).toEqual({ name: 't0', producer: 2 });
    expect(graph.nodes[3].inputs[0]).toBe(tanh.outputs[0]);
    expect(graph.inputs.map(({ type }) => type)).toEqual([{ dataType: FLOAT, shape: ['batch', 16] }]);
    expect(graph.values[graph.outputs[0].value].name).toBe('y');
  });

  test('keeps weights as ranges of the file', () => {
    const file = saveModel(mlp(1));
    const { tensor } = parseModel(file).graph.initializers[0];
    expect(tensor).toMatchObject({ name: 'w0', dims: [16, 16], byteLength: 1024, external: false });
    const bytes = fs.readFileSync(file).subarray(tensor.data?.offset, (tensor.data?.offset ?? 0) + 1024);
    expect(bytes).toEqual(Buffer.from(floats('w0', [16, 16]).rawData as Uint8Array));
  });

  test('treats packed floats as raw data and leaves varints in their field', () => {
    const nodes = nodesOf('Add x f > a; Gather a i > y');
    const weights = [
      { name: 'f', dataType: FLOAT, dims: [2], floatData: [1, 2] },
      { name: 'i', dataType: INT64, dims: [1], int64Data: [0] },
      int64s('shape', [-1]),
    ];
    const { initializers } = parsed(modelOf(nodes, inputs, weights)).graph;
    expect(initializers.map(({ tensor }) => tensor.data?.length)).toEqual([8, undefined, 8]);
  });

  test('reads a dimension of -1 as unknown and a name as symbolic', () => {
    const { graph } = parsed(modelOf([node('Abs', ['x'], ['y'])], { x: [-1, 'w', 3] }));
    expect(graph.inputs[0].type.shape).toEqual([null, 'w', 3]);
  });

  test('keeps of a node its label, its omitted inputs, the tensor of a constant, and the numbers that decide about memory', () => {
    const softcap = { name: 'softcap', f: 20.5, type: 1 };
    const attributes = [attribute.int('num_heads', 12), softcap, attribute.int('do_rotary', 1)];
    const { nodes } = parsed(
      modelOf(
        [
          { ...node('GroupQueryAttention', ['x'], ['a'], attributes), domain: 'com.microsoft' },
          ...nodesOf('Softmax a > b axis=-2; Concat b x > d axis=0'),
          node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]),
          { ...node('Clip', ['d', '', 'c'], ['y']), name: '' },
        ],
        inputs,
      ),
    ).graph;
    expect(nodes.slice(0, 3).map(({ sizeAttributes }) => Object.fromEntries(sizeAttributes ?? []))).toEqual([
      { num_heads: 12, softcap: 20.5 },
      { axis: -2 },
      {},
    ]);
    expect(nodes[3].constant?.byteLength).toBe(16);
    expect(nodes[4].inputs).toEqual([expect.any(Number), -1, expect.any(Number)]);
    expect(nodes.slice(3).map(nodeLabel)).toEqual(["node 'Constant_c' (Constant)", 'Clip node 4']);
  });

  test('does not take a float of 10 for the type float16, whose number is 10', () => {
    const alpha = { name: 'alpha', f: 10, type: 1 };
    const scale = { ...node('Scale', ['x'], ['y'], [alpha]), domain: 'of.others' };
    expect(parsed(modelOf([scale], inputs)).usesFloat16).toBe(false);
  });

  test('finds the values that nested bodies capture, but not those that they hide', () => {
    const outer = [...nodesOf('Neg b > hidden'), choice('c', 'out', nodesOf('Add a hidden > inner'))];
    const nodes = [...nodesOf('Abs x > a; Neg x > b; Exp x > hidden'), choice('c', 'y', outer)];
    const { graph } = parsed(modelOf(nodes, { ...inputs, c: { type: BOOL, dims: [] } }));
    const captures = graph.nodes[3].captures.map((capture) => graph.values[capture].name);
    // The outer body defines `hidden`, so the inner body does not capture it from the top level.
    expect(captures.sort()).toEqual(['a', 'b', 'c']);
  });

  test('resolves external data with offsets, below the model too', () => {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, 'sub'));
    fs.writeFileSync(path.join(folder, 'sub/b.bin'), Buffer.alloc(64));
    const weight = external('b', [4], { location: 'sub/b.bin', offset: '48', length: '16' });
    const model = modelOf([node('Add', ['x', 'b'], ['y'])], { x: [4] }, [weight]);
    const { initializers } = parseModel(saveModel(model, 'model.onnx', folder)).graph;
    expect(initializers[0].tensor.data).toEqual({ file: 1, offset: 48, length: 16 });
  });

  test('keeps functions and short metadata', () => {
    const properties = Object.entries({ author: 'tests', long: 'v'.repeat(300) });
    const metadataProps = properties.map(([key, value]) => ({ key, value }));
    const functions = functionsOf({ Twice: nodesOf('Add a a > b') });
    const model = parsed(
      modelOf([callOf('Twice', ['x'], ['y'])], inputs, [], { ...functions, metadataProps }),
    );
    expect(model.functions[0]).toMatchObject({ name: 'Twice', domain: 'local' });
    expect(Object.fromEntries(model.properties)).toEqual({ author: 'tests', long: '' });
  });

  test.each([262_000, 262_120, 262_140])(
    'reads fields that %d bytes before them move across the edge of a window',
    (length) => {
      const model = encodeModel({ ...mlp(2), metadataProps: [{ key: 'k', value: 'v'.repeat(length) }] });
      expect(parsed(model).graph.nodes).toHaveLength(6);
    },
  );
});
