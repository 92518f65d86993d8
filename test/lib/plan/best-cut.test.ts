/** A fixed number of slices: bytes and costs come first, and slices that are worth a function before evenness. */
import * as path from 'node:path';
import { writeBidirectionalLstm } from '../../../bench/plan/models';
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { analyzeModel } from '../../../lib/compile/analyze';
import { bestCut } from '../../../lib/plan/best-cut';
import { count } from '../../../lib/plan/search/slicers';
import { attentionBlocks } from '../../support/attention';
import { analyzeFast } from '../../support/inference/fast-analysis';
import type { ModelInit } from '../../support/model-builder';
import { FLOAT, floats, int64s, node, saveModel, temporaryFolder, value } from '../../support/model-builder';

analyzeFast();

const WIDTH = 96;

/** Blocks of attention that all read one mask, and no mask after the last softmax. */
function maskedEncoder(blocks: number): ModelInit {
  const encoder = attentionBlocks({ blocks, width: WIDTH, heads: 12, beforeSoftmax: ['Add', 'added'] });
  return {
    graph: {
      node: [
        node('Unsqueeze', ['mask', 'axes'], ['mask_wide']),
        node('Sub', ['one', 'mask_wide'], ['masked']),
        node('Mul', ['masked', 'lowest'], ['added']),
        ...encoder.nodes,
      ],
      initializer: [
        int64s('axes', [1, 2]),
        floats('one', [1], [1]),
        floats('lowest', [1], [-1e4]),
        ...encoder.initializers,
      ],
      input: [value('x', FLOAT, [1, 'sequence', WIDTH]), value('mask', FLOAT, [1, 'sequence'])],
      output: [value(encoder.result, FLOAT)],
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
