/** What slices contain, read and write: names of nodes are those of their outputs, and groups are written as `a b`. */
import { analyzeDataflow } from '../../../../lib/dataflow/dataflow';
import { parseModel } from '../../../../lib/onnx/parse';
import { type SourcedValue, wireSlices } from '../../../../lib/plan/wiring/wiring';
import { graphOf, nodesOf } from '../../../support/graph-text';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import {
  type GraphInit,
  FLOAT,
  attribute,
  floats,
  node,
  saveModel,
  value,
} from '../../../support/model-builder';

analyzeFast();

/** By name; a source is `name<request` or `name<slice`. */
function wire(graph: GraphInit, ...groups: string[]) {
  const dataflow = analyzeDataflow(parseModel(saveModel({ graph })));
  const { values, nodes } = dataflow.model.graph;
  const names = (list: readonly number[]) => list.map((index) => values[index].name).join(' ');
  const nodeNames = (list: readonly number[]) => names(list.map((index) => nodes[index].outputs[0]));
  const nodeOf = (name: string) => nodes.findIndex(({ outputs }) => values[outputs[0]].name === name);
  const sourced = (list: readonly SourcedValue[]) =>
    list
      .map(
        ({ value: at, source }) => `${values[at].name}<${source.from === 'slice' ? source.slice : 'request'}`,
      )
      .join(' ');
  const ofNodes = groups.map((group) => group.split(' ').map(nodeOf));
  const { slices, results } = wireSlices(dataflow, ofNodes);
  return {
    allNodes: slices.map(({ allNodes }) => nodeNames(allNodes)),
    initializers: slices.map(({ initializers }) => names(initializers)),
    inputs: slices.map(({ inputs }) => sourced(inputs)),
    defaults: slices.map(({ defaults }) => names(defaults)),
    outputs: slices.map(({ outputs }) => names(outputs)),
    results: sourced(results),
  };
}

const x = value('x', FLOAT, [4]);
const weights = [floats('w', [4]), floats('v', [4])];
const constant = node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]);

test.each<[what: string, graph: GraphInit, groups: string[], expected: Partial<ReturnType<typeof wire>>]>([
  [
    'lists what each slice reads in the order of the values, whatever the order of their use',
    graphOf('Add x w > a; Neg a > b; Mul b v > d; Sum d v w a z x > y', {
      initializer: weights,
      input: [x, value('z', FLOAT, [4])],
    }),
    ['a', 'b d', 'y'],
    {
      initializers: ['w', 'v', 'w v'],
      inputs: ['x<request', 'a<0', 'x<request z<request a<0 d<1'],
      outputs: ['a', 'd', 'y'],
    },
  ],
  [
    'takes results from the slices that compute them, from the request, and else from the last slice',
    graphOf([constant, ...nodesOf('Abs x > a; Neg a > b; Exp b > y')], {
      initializer: [floats('w', [4]), floats('default', [4]), floats('other', [4])],
      input: [x, value('default', FLOAT, [4])],
      output: ['default', 'w', 'y', 'c', 'x', 'a'].map((name) => value(name, FLOAT)),
    }),
    ['a', 'b', 'y'],
    {
      results: 'default<2 w<2 y<2 c<2 x<request a<0',
      outputs: ['a', 'b', 'w default c y'],
      initializers: ['', '', 'w default'],
      defaults: ['', '', 'default'],
      allNodes: ['a', 'b', 'c y'],
      inputs: ['x<request', 'a<0', 'b<1'],
    },
  ],
  [
    'orders what a slice writes by its readers, so that each of them reads neighbors',
    graphOf('Abs x > a; Neg x > b; Exp x > c; Tanh x > d; Sum a c > e; Sum b d > f; Sum e f a > y'),
    ['a b c d', 'e', 'f', 'y'],
    { inputs: ['x<request', 'a<0 c<0', 'b<0 d<0', 'a<0 e<1 f<2'], outputs: ['c a b d', 'e', 'f', 'y'] },
  ],
  [
    'gives each slice the defaults that it uses, as initializers and not as inputs',
    graphOf('Sum x v w > a; Add a w > b; Mul b v > y', {
      initializer: weights,
      input: [x, value('w', FLOAT, [4])],
    }),
    ['a', 'b', 'y'],
    { defaults: ['w', 'w', ''], initializers: ['w v', 'w', 'v'], inputs: ['x<request', 'a<0', 'b<1'] },
  ],
])('wireSlices %s', (_, graph, groups, expected) => {
  expect(wire(graph, ...groups)).toMatchObject(expected);
});
