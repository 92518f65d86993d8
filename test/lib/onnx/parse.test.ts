import * as fs from 'node:fs';
import * as path from 'node:path';
import { nodeLabel } from '../../../lib/onnx/model';
import { parseModel } from '../../../lib/onnx/parse';
import { readFreshFilesAtOnce } from '../../support/inference/fast-analysis';
import {
  BOOL,
  FLOAT,
  INT64,
  attribute,
  encodeModel,
  floats,
  int64s,
  mlp,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';

readFreshFilesAtOnce();

const x = value('x', FLOAT, ['n', 2]);
const y = value('y', FLOAT);

describe('parseModel', () => {
  test('links values, nodes, inputs and outputs by index', () => {
    const { graph, irVersion, opsets } = parseModel(saveModel(mlp(2)));
    expect(irVersion).toBe(9);
    expect(opsets).toEqual([{ domain: '', version: 17 }]);
    expect(graph.nodes.map(({ opType }) => opType)).toEqual([
      'MatMul',
      'Add',
      'Tanh',
      'MatMul',
      'Add',
      'Tanh',
    ]);
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
    expect(Buffer.compare(bytes, Buffer.from(floats('w0', [16, 16]).rawData as Uint8Array))).toBe(0);
  });

  test('treats packed floats as raw data and leaves varints in their field', () => {
    const graph = {
      node: [node('Add', ['x', 'f'], ['a']), node('Gather', ['a', 'i'], ['y'])],
      initializer: [
        { name: 'f', dataType: FLOAT, dims: [2], floatData: [1, 2] },
        { name: 'i', dataType: INT64, dims: [1], int64Data: [0] },
      ],
      input: [x],
      output: [y],
    };
    const [f, i] = parseModel(saveModel({ graph })).graph.initializers;
    expect(f.tensor.data?.length).toBe(8);
    expect(i.tensor.data).toBeUndefined();
  });

  test('reads a dimension of -1 as unknown and a name as symbolic', () => {
    const graph = {
      node: [node('Abs', ['x'], ['y'])],
      input: [value('x', FLOAT, [-1, 'w', 3])],
      output: [y],
    };
    expect(parseModel(saveModel({ graph })).graph.inputs[0].type.shape).toEqual([null, 'w', 3]);
  });

  test('finds the tensor of a Constant node', () => {
    const graph = {
      node: [
        node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]),
        node('Add', ['x', 'c'], ['y']),
      ],
      input: [value('x', FLOAT, [4])],
      output: [y],
    };
    expect(parseModel(saveModel({ graph })).graph.nodes[0].constant?.byteLength).toBe(16);
  });

  test('keeps the numbers that decide about memory, and no others', () => {
    const softcap = { name: 'softcap', f: 20.5, type: 1 };
    const attributes = [attribute.int('num_heads', 12), softcap, attribute.int('do_rotary', 1)];
    const graph = {
      node: [
        { ...node('GroupQueryAttention', ['x'], ['a'], attributes), domain: 'com.microsoft' },
        node('Softmax', ['a'], ['b'], [attribute.int('axis', -2)]),
        node('Concat', ['b', 'x'], ['y'], [attribute.int('axis', 0)]),
      ],
      input: [x],
      output: [y],
    };
    const kept = parseModel(saveModel({ graph })).graph.nodes.map(({ sizeAttributes }) => sizeAttributes);
    expect(kept).toEqual([
      new Map([
        ['num_heads', 12],
        ['softcap', 20.5],
      ]),
      new Map([['axis', -2]]),
      undefined,
    ]);
  });

  test('does not take a float of 10 for the type float16, whose number is 10', () => {
    const alpha = { name: 'alpha', f: 10, type: 1 };
    const graph = {
      node: [{ ...node('Scale', ['x'], ['y'], [alpha]), domain: 'of.others' }],
      input: [x],
      output: [y],
    };
    expect(parseModel(saveModel({ graph })).usesFloat16).toBe(false);
  });

  test('finds the values that nested bodies capture, but not those that they hide', () => {
    const inner = { node: [node('Add', ['a', 'hidden'], ['inner'])], output: [value('inner', FLOAT)] };
    const outer = {
      node: [
        node('Neg', ['b'], ['hidden']),
        node(
          'If',
          ['c'],
          ['out'],
          [attribute.graph('then_branch', inner), attribute.graph('else_branch', inner)],
        ),
      ],
      output: [value('out', FLOAT)],
    };
    const graph = {
      node: [
        node('Abs', ['x'], ['a']),
        node('Neg', ['x'], ['b']),
        node('Exp', ['x'], ['hidden']),
        node(
          'If',
          ['c'],
          ['y'],
          [attribute.graph('then_branch', outer), attribute.graph('else_branch', outer)],
        ),
      ],
      input: [x, value('c', BOOL, [])],
      output: [y],
    };
    const model = parseModel(saveModel({ graph }));
    const captures = model.graph.nodes[3].captures.map((capture) => model.graph.values[capture].name);
    // The outer body defines `hidden`, so the inner body does not capture it from the top level.
    expect(captures.sort()).toEqual(['a', 'b', 'c']);
  });

  test('resolves external data in several files with offsets', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'a.bin'), Buffer.alloc(16));
    fs.mkdirSync(path.join(folder, 'sub'));
    fs.writeFileSync(path.join(folder, 'sub', 'b.bin'), Buffer.alloc(64));
    const external = (name: string, location: string, offset: number) => ({
      name,
      dataType: FLOAT,
      dims: [4],
      dataLocation: 1,
      externalData: [
        { key: 'location', value: location },
        { key: 'offset', value: String(offset) },
        { key: 'length', value: '16' },
      ],
    });
    const graph = {
      node: [node('Add', ['x', 'a'], ['z']), node('Add', ['z', 'b'], ['y'])],
      initializer: [external('a', 'a.bin', 0), external('b', 'sub/b.bin', 48)],
      input: [value('x', FLOAT, [4])],
      output: [y],
    };
    const model = parseModel(saveModel({ graph }, 'model.onnx', folder));
    expect(model.graph.initializers.map(({ tensor }) => tensor.data)).toEqual([
      { file: 1, offset: 0, length: 16 },
      { file: 2, offset: 48, length: 16 },
    ]);
  });

  test('keeps annotations and functions', () => {
    const model = parseModel(
      saveModel({
        graph: {
          node: [{ ...node('Twice', ['x'], ['y']), domain: 'local' }],
          input: [x],
          output: [y],
          quantizationAnnotation: [{ tensorName: 'x' }],
        },
        metadataProps: [{ key: 'author', value: 'tests' }],
        functions: [
          {
            name: 'Twice',
            domain: 'local',
            input: ['a'],
            output: ['b'],
            node: [node('Add', ['a', 'a'], ['b'])],
            opsetImport: [{ domain: '', version: 17 }],
          },
        ],
        opsetImport: [
          { domain: '', version: 17 },
          { domain: 'local', version: 1 },
        ],
      }),
    );
    expect(model.functions[0]).toMatchObject({ name: 'Twice', domain: 'local' });
    expect(model.graph.annotations[0].tensorName).toBe('x');
  });

  test('keeps unnamed nodes, which nodeLabel names by operator and index', () => {
    const graph = { node: [{ ...node('Abs', ['x'], ['y']), name: '' }], input: [x], output: [y] };
    expect(nodeLabel(parseModel(saveModel({ graph })).graph.nodes[0])).toBe('Abs node 0');
  });

  test('marks an omitted optional input', () => {
    const graph = {
      node: [node('Clip', ['x', '', 'high'], ['y'])],
      initializer: [floats('high', [], [1])],
      input: [x],
      output: [y],
    };
    expect(parseModel(saveModel({ graph })).graph.nodes[0].inputs).toEqual([
      expect.any(Number),
      -1,
      expect.any(Number),
    ]);
  });

  test('reads fields that cross the edge of a window', () => {
    // A long metadata entry moves the fields after it across the edge of a window.
    for (const length of [262_000, 262_120, 262_140]) {
      const model = encodeModel({
        ...mlp(2),
        metadataProps: [{ key: 'k', value: 'v'.repeat(length) }],
      });
      expect(parseModel(saveModel(model)).graph.nodes).toHaveLength(6);
    }
  });

  test('reads small integer initializers', () => {
    const graph = {
      node: [node('Reshape', ['x', 'shape'], ['y'])],
      initializer: [int64s('shape', [-1])],
      input: [x],
      output: [y],
    };
    expect(parseModel(saveModel({ graph })).graph.initializers[0].tensor.byteLength).toBe(8);
  });
});
