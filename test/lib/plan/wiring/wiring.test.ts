import { analyzeModel } from '../../../../lib/compile/analyze';
import { analyzeDataflow } from '../../../../lib/dataflow/dataflow';
import { parseModel } from '../../../../lib/onnx/parse';
import { type SourcedValue, wireSlices } from '../../../../lib/plan/wiring/wiring';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import {
  type GraphInit,
  type NodeInit,
  FLOAT,
  INT64,
  attribute,
  floats,
  node,
  saveModel,
  value,
} from '../../../support/model-builder';

analyzeFast();

const INT32 = 6;

const to = (type: number) => [attribute.int('to', type)];

describe('a value between two casts', () => {
  /** The names that the only slice declares as outputs. */
  function declared(more: readonly NodeInit[], outputs: readonly object[]) {
    const graph = {
      node: [node('Cast', ['x'], ['q'], to(INT32)), node('Cast', ['q'], ['y'], to(INT64)), ...more],
      input: [value('x', FLOAT, [4])],
      output: [value('y', INT64), ...outputs],
    };
    const { model, cuts } = analyzeModel(saveModel({ graph }));
    const [slice] = wireSlices(cuts.dataflow, [cuts.dataflow.order]).slices;
    const names = (values: readonly number[]) => values.map((index) => model.graph.values[index].name);
    return { outputs: names(slice.outputs), pinned: names(slice.pinned) };
  }

  test('is pinned if a node other than a cast reads it', () => {
    const other = node('Abs', ['q'], ['z']);
    expect(declared([other], [value('z', INT32)])).toEqual({ outputs: ['y', 'z'], pinned: ['q'] });
  });

  test('is not pinned if it is an output of the slice, which would declare it twice', () => {
    expect(declared([], [value('q', INT32)])).toEqual({ outputs: ['q', 'y'], pinned: [] });
  });

  test('is not pinned if only casts read it', () => {
    expect(declared([], [])).toEqual({ outputs: ['y'], pinned: [] });
  });
});

describe('wireSlices', () => {
  const x = value('x', FLOAT, [4]);
  const z = value('z', FLOAT, [4]);
  const y = value('y', FLOAT);
  const constant = node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]);

  /** The wiring by name. A node has the name of its output, and each group lists its nodes as `a b`. */
  function wire(graph: GraphInit, ...groups: string[]) {
    const dataflow = analyzeDataflow(parseModel(saveModel({ graph })));
    const { values, nodes } = dataflow.model.graph;
    const names = (list: readonly number[]) => list.map((index) => values[index].name).join(' ');
    const nodeNames = (list: readonly number[]) => names(list.map((index) => nodes[index].outputs[0]));
    const nodeOf = (name: string) => nodes.findIndex(({ outputs }) => values[outputs[0]].name === name);
    const sourced = (list: readonly SourcedValue[]) =>
      list.map(({ value: index, source }) => ({ name: values[index].name, ...source }));
    const { slices, results } = wireSlices(
      dataflow,
      groups.map((group) => group.split(' ').map(nodeOf)),
    );
    return {
      slices: slices.map((slice) => ({
        nodes: nodeNames(slice.nodes),
        allNodes: nodeNames(slice.allNodes),
        initializers: names(slice.initializers),
        inputs: sourced(slice.inputs),
        defaults: names(slice.defaults),
        outputs: names(slice.outputs),
        pinned: names(slice.pinned),
      })),
      results: sourced(results),
    };
  }

  test('lists what each slice reads in the order of the values, whatever the order of their use', () => {
    const graph = {
      node: [
        node('Add', ['x', 'w'], ['a']),
        node('Neg', ['a'], ['b']),
        node('Mul', ['b', 'v'], ['d']),
        node('Sum', ['d', 'v', 'w', 'a', 'z', 'x'], ['y']),
      ],
      initializer: [floats('w', [4]), floats('v', [4])],
      input: [x, z],
      output: [y],
    };
    expect(wire(graph, 'a', 'b d', 'y')).toEqual({
      slices: [
        {
          nodes: 'a',
          allNodes: 'a',
          initializers: 'w',
          inputs: [{ name: 'x', from: 'request' }],
          defaults: '',
          outputs: 'a',
          pinned: '',
        },
        {
          nodes: 'b d',
          allNodes: 'b d',
          initializers: 'v',
          inputs: [{ name: 'a', from: 'slice', slice: 0 }],
          defaults: '',
          outputs: 'd',
          pinned: '',
        },
        {
          nodes: 'y',
          allNodes: 'y',
          initializers: 'w v',
          inputs: [
            { name: 'x', from: 'request' },
            { name: 'z', from: 'request' },
            { name: 'a', from: 'slice', slice: 0 },
            { name: 'd', from: 'slice', slice: 1 },
          ],
          defaults: '',
          outputs: 'y',
          pinned: '',
        },
      ],
      results: [{ name: 'y', from: 'slice', slice: 2 }],
    });
  });

  test('takes results from the slices that compute them, from the request, and else from the last slice', () => {
    const graph = {
      node: [constant, node('Abs', ['x'], ['a']), node('Neg', ['a'], ['b']), node('Exp', ['b'], ['y'])],
      initializer: [floats('w', [4]), floats('default', [4]), floats('other', [4])],
      input: [x, value('default', FLOAT, [4])],
      output: ['default', 'w', 'y', 'c', 'x', 'a'].map((name) => value(name, FLOAT)),
    };
    const { slices, results } = wire(graph, 'a', 'b', 'y');
    expect(results).toEqual([
      { name: 'default', from: 'slice', slice: 2 },
      { name: 'w', from: 'slice', slice: 2 },
      { name: 'y', from: 'slice', slice: 2 },
      { name: 'c', from: 'slice', slice: 2 },
      { name: 'x', from: 'request' },
      { name: 'a', from: 'slice', slice: 0 },
    ]);
    expect(slices.map(({ outputs }) => outputs)).toEqual(['a', 'b', 'w default c y']);
    expect(slices.map(({ initializers }) => initializers)).toEqual(['', '', 'w default']);
    expect(slices.map(({ defaults }) => defaults)).toEqual(['', '', 'default']);
    expect(slices.map(({ allNodes }) => allNodes)).toEqual(['a', 'b', 'c y']);
    expect(slices[2].inputs).toEqual([{ name: 'b', from: 'slice', slice: 1 }]);
  });

  test('gives each slice the defaults that it uses, as initializers and not as inputs', () => {
    const graph = {
      node: [
        node('Sum', ['x', 'v', 'w'], ['a']),
        node('Add', ['a', 'w'], ['b']),
        node('Mul', ['b', 'v'], ['y']),
      ],
      initializer: [floats('w', [4]), floats('v', [4])],
      input: [x, value('w', FLOAT, [4])],
      output: [y],
    };
    const { slices } = wire(graph, 'a', 'b', 'y');
    expect(slices.map(({ defaults }) => defaults)).toEqual(['w', 'w', '']);
    expect(slices.map(({ initializers }) => initializers)).toEqual(['w v', 'w', 'v']);
    expect(slices.map(({ inputs }) => inputs)).toEqual([
      [{ name: 'x', from: 'request' }],
      [{ name: 'a', from: 'slice', slice: 0 }],
      [{ name: 'b', from: 'slice', slice: 1 }],
    ]);
  });

  test('repeats constant nodes and their initializers before the nodes that need them', () => {
    const graph = {
      node: [
        constant,
        node('Add', ['c', 'w'], ['d']),
        node('Mul', ['x', 'd'], ['a']),
        node('Neg', ['a'], ['b']),
        node('Add', ['b', 'c'], ['y']),
      ],
      initializer: [floats('w', [4])],
      input: [x],
      output: [y],
    };
    const { slices } = wire(graph, 'a', 'b', 'y');
    expect(slices.map(({ nodes }) => nodes)).toEqual(['a', 'b', 'y']);
    expect(slices.map(({ allNodes }) => allNodes)).toEqual(['c d a', 'b', 'c y']);
    expect(slices.map(({ initializers }) => initializers)).toEqual(['w', '', '']);
    expect(slices.map(({ outputs }) => outputs)).toEqual(['a', 'b', 'y']);
    expect(slices[2].inputs).toEqual([{ name: 'b', from: 'slice', slice: 1 }]);
  });

  test('puts unused casts into the slice of their producer, also if the file is not sorted', () => {
    const graph = {
      // The file lists the last node first.
      node: [
        node('Exp', ['b'], ['y']),
        node('Cast', ['a'], ['q'], to(INT32)),
        node('Cast', ['q'], ['unused'], to(INT64)),
        node('Abs', ['x'], ['a']),
        node('Neg', ['q'], ['r']),
        node('Cast', ['r'], ['b'], to(FLOAT)),
      ],
      input: [x],
      output: [y],
    };
    const { slices } = wire(graph, 'a q r', 'b y');
    expect(slices.map(({ nodes }) => nodes)).toEqual(['a q r', 'b y']);
    expect(slices.map(({ allNodes }) => allNodes)).toEqual(['a q r unused', 'b y']);
    expect(slices.map(({ outputs }) => outputs)).toEqual(['r', 'y']);
    expect(slices.map(({ pinned }) => pinned)).toEqual(['q', '']);
  });

  test('puts unused casts before later nodes of their slice', () => {
    const graph = {
      node: [
        node('Cast', ['x'], ['q'], to(INT32)),
        node('Cast', ['q'], ['unused'], to(INT64)),
        node('Neg', ['q'], ['r']),
        node('Abs', ['r'], ['y']),
      ],
      input: [x],
      output: [value('y', INT32)],
    };
    const { slices } = wire(graph, 'q r', 'y');
    expect(slices.map(({ allNodes }) => allNodes)).toEqual(['q unused r', 'y']);
  });
});
