/** The graph in which an operator runs in parts: the parts in their order, their attributes, and the axis that joins them. */
import * as path from 'node:path';
import { saveModelOf } from '../../../bench/split/comparison';
import { analyzeModel } from '../../../lib/compile/analyze';
import { nodeAttributes } from '../../../lib/onnx/node-attributes';
import { splitModel } from '../../../lib/split/rewrite';
import { splitInto, waysToSplit } from '../../../lib/split/splittable';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  attribute,
  floats,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
} from '../../support/model-builder';
import { expectSameBits, runWhole } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

analyzeFast();

interface Rewritten {
  /** Of each part: its name, and what its attributes say. */
  readonly parts: readonly string[];
  readonly join: { readonly inputs: readonly string[]; readonly axis: number | undefined };
}

/** Splits the operator that computes `y` and runs both models. Concat of opset 10 takes no negative axes. */
async function rewritten(init: ModelInit, count: number, dims: readonly number[]): Promise<Rewritten> {
  const whole = saveModel(init);
  const { subject } = analyzeModel(whole).splitting;
  const split = subject.model.graph.nodes.find(
    ({ outputs }) => subject.model.graph.values[outputs[0]].name === 'y',
  );
  const ways = split && waysToSplit(subject, split);
  if (ways === undefined || typeof ways === 'string') throw new Error(ways ?? 'no node computes y');
  const { model } = splitModel(subject, [splitInto(ways[0], count)]);
  const parts = path.join(temporaryFolder(), 'parts.onnx');
  saveModelOf(model, parts);
  const feeds = new Map([['x', float32(dims)]]);
  expectSameBits(await runWhole(parts, feeds), await runWhole(whole, feeds));
  const { nodes, values } = model.graph;
  const names = (list: readonly number[]): string[] => list.map((each) => values[each].name);
  const join = nodes.find(({ opType, outputs }) => opType === 'Concat' && names(outputs)[0] === 'y');
  const joined = join ? names(join.inputs) : [];
  const found = nodes.filter(({ outputs }) => joined.includes(names(outputs)[0]));
  return {
    parts: found.map((each) => {
      const group = nodeAttributes(model, each).get('group')?.integer;
      return `${each.opType} ${names(each.outputs)[0]}${group === undefined ? '' : ` group=${group}`}`;
    }),
    join: { inputs: joined, axis: join && nodeAttributes(model, join).get('axis')?.integer },
  };
}

test.each<[string, ModelInit, number[], string[], number]>([
  [
    'columns of a matrix',
    modelOf([node('MatMul', ['x', 'w'], ['y'])], { x: [2, 8] }, [floats('w', [8, 96])], { opset: 10 }),
    [2, 8],
    ['MatMul y[0:32]', 'MatMul y[32:64]', 'MatMul y[64:96]'],
    1,
  ],
  [
    'columns of a product of three dimensions',
    modelOf([node('MatMul', ['x', 'w'], ['y'])], { x: [2, 3, 8] }, [floats('w', [8, 96])], { opset: 10 }),
    [2, 3, 8],
    ['MatMul y[0:32]', 'MatMul y[32:64]', 'MatMul y[64:96]'],
    2,
  ],
  [
    'columns of a transposed matrix and a bias',
    modelOf(
      [node('Gemm', ['x', 'w', 'b'], ['y'], [attribute.int('transB', 1)])],
      { x: [2, 8] },
      [floats('w', [96, 8]), floats('b', [96])],
      { opset: 10 },
    ),
    [2, 8],
    ['Gemm y[0:32]', 'Gemm y[32:64]', 'Gemm y[64:96]'],
    1,
  ],
  [
    'channels of a convolution',
    modelOf(
      [node('Conv', ['x', 'w', 'b'], ['y'])],
      { x: [1, 4, 6, 6] },
      [floats('w', [96, 4, 3, 3]), floats('b', [96])],
      { opset: 10 },
    ),
    [1, 4, 6, 6],
    ['Conv y[0:32]', 'Conv y[32:64]', 'Conv y[64:96]'],
    1,
  ],
  [
    'channels of a convolution of groups',
    modelOf(
      [node('Conv', ['x', 'w'], ['y'], [attribute.int('group', 6)])],
      { x: [1, 24, 6, 6] },
      [floats('w', [384, 4, 3, 3])],
      { opset: 10 },
    ),
    [1, 24, 6, 6],
    ['Conv y[0:128] group=2', 'Conv y[128:256] group=2', 'Conv y[256:384] group=2'],
    1,
  ],
])(
  '%s are joined in their order along their axis, with the bits of the whole',
  async (_, init, dims, parts, axis) => {
    const found = await rewritten(init, 3, dims);
    expect(found.parts).toEqual(parts);
    expect(found.join).toEqual({ inputs: parts.map((part) => part.split(' ')[1]), axis });
  },
);
