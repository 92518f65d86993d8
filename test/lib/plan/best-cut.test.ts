/** A fixed number of slices: bytes and costs come first, and slices that are worth a function before evenness. */
import * as path from 'node:path';
import { writeBidirectionalLstm } from '../../../bench/plan/models';
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { analyzeModel } from '../../../lib/compile/analyze';
import { bestCut } from '../../../lib/plan/best-cut';
import { count } from '../../../lib/plan/search/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import type { ModelInit, NodeInit, TensorInit } from '../../support/model-builder';
import {
  FLOAT,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';

analyzeFast();

const WIDTH = 96;
const HEADS = 12;

/** Blocks of attention that all read one mask, and no mask after the last softmax. */
function maskedEncoder(blocks: number): ModelInit {
  const nodes: NodeInit[] = [
    node('Unsqueeze', ['mask', 'axes'], ['mask_wide']),
    node('Sub', ['one', 'mask_wide'], ['masked']),
    node('Mul', ['masked', 'lowest'], ['added']),
  ];
  const initializer: TensorInit[] = [
    int64s('axes', [1, 2]),
    floats('one', [1], [1]),
    floats('lowest', [1], [-1e4]),
    int64s('split', [0, 0, HEADS, WIDTH / HEADS]),
    int64s('join', [0, 0, WIDTH]),
  ];
  let current = 'x';
  for (let block = 0; block < blocks; block++) {
    const own = (name: string): string => `${name}${block}`;
    for (const part of ['q', 'k', 'v', 'o', 'up', 'down']) {
      const [rows, columns] = { up: [WIDTH, 4 * WIDTH], down: [4 * WIDTH, WIDTH] }[part] ?? [WIDTH, WIDTH];
      initializer.push(floats(own(`w_${part}`), [rows, columns]));
    }
    const heads = (part: string, perm: readonly number[]): NodeInit[] => [
      node('MatMul', [current, own(`w_${part}`)], [own(`${part}_flat`)]),
      node('Reshape', [own(`${part}_flat`), 'split'], [own(`${part}_heads`)]),
      node('Transpose', [own(`${part}_heads`)], [own(part)], [attribute.ints('perm', perm)]),
    ];
    nodes.push(
      ...heads('q', [0, 2, 1, 3]),
      ...heads('k', [0, 2, 3, 1]),
      ...heads('v', [0, 2, 1, 3]),
      node('MatMul', [own('q'), own('k')], [own('scores')]),
      node('Add', [own('scores'), 'added'], [own('allowed')]),
      node('Softmax', [own('allowed')], [own('shares')]),
      node('MatMul', [own('shares'), own('v')], [own('mixed')]),
      node('Transpose', [own('mixed')], [own('turned')], [attribute.ints('perm', [0, 2, 1, 3])]),
      node('Reshape', [own('turned'), 'join'], [own('joined')]),
      node('MatMul', [own('joined'), own('w_o')], [own('projected')]),
      node('Add', [current, own('projected')], [own('attended')]),
      node('MatMul', [own('attended'), own('w_up')], [own('hidden')]),
      node('Tanh', [own('hidden')], [own('active')]),
      node('MatMul', [own('active'), own('w_down')], [own('narrow')]),
      node('Add', [own('attended'), own('narrow')], [own('out')]),
    );
    current = own('out');
  }
  return {
    graph: {
      node: nodes,
      initializer,
      input: [value('x', FLOAT, [1, 'sequence', WIDTH]), value('mask', FLOAT, [1, 'sequence'])],
      output: [value(current, FLOAT)],
    },
  };
}

function nodesBySlice({ dataflow, cuts }: AnalyzedModel, slices: number): number[] {
  return bestCut(dataflow, cuts, count(slices)).groups.map((nodes) => nodes.length);
}

describe('the best cut into a number of slices', () => {
  it('cuts a bidirectional LSTM where its features cross, not its states, which are 13 times larger', () => {
    const file = path.join(temporaryFolder(), 'lstm.onnx');
    writeBidirectionalLstm(file);
    const { dataflow, cuts } = analyzeModel(file);

    const { wiring } = bestCut(dataflow, cuts, count(2));
    const crossing = wiring.slices[1].inputs
      .filter(({ source }) => source.from === 'slice')
      .map(({ value: tensor }) => cuts.bytes[tensor]);

    expect(crossing).toEqual([1000 * 80 * 4]);
  });

  test.each([120, 128, 136, 200, 256, 384, 512])(
    'has no slice of a few nodes in an encoder with a mask and a sequence of %i',
    (sequence) => {
      const analyzed = analyzeModel(saveModel(maskedEncoder(6)), { dimensions: { sequence } });

      const nodes = nodesBySlice(analyzed, 4);
      const total = nodes.reduce((sum, own) => sum + own, 0);
      for (const own of nodes) expect([nodes, own >= 0.02 * total]).toEqual([nodes, true]);
    },
  );
});
