/** What is said of slices that do nearly nothing, and of the layer that prevents even ones. */
import { analyzeModel } from '../../../lib/compile/analyze';
import { type EvenNotes, evenNotes } from '../../../lib/compile/even-notes';
import { bestCut } from '../../../lib/plan/best-cut';
import { type Slicer, atTensors, automatic, count } from '../../../lib/plan/slicers';
import type { SliceSize } from '../../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../../lib/plan/sizes/slice-sizes';
import { graphOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type GraphInit,
  type NodeInit,
  FLOAT,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { tower } from '../../support/towers';
import { unevenChain } from '../../support/uneven-chain';

analyzeFast();

function notesOf(
  graph: GraphInit,
  slicer: Slicer,
  changed: (size: SliceSize, slice: number) => SliceSize = (size) => size,
): EvenNotes {
  const { dataflow, cuts } = analyzeModel(saveModel({ graph }));
  const cut = bestCut(dataflow, cuts, slicer);
  return evenNotes(cuts, cut, sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs).map(changed));
}

/** Groups of convolutions on large tensors, with a small tensor between two groups. */
function grouped(sizes: readonly number[]): GraphInit {
  const nodes = sizes.flatMap((size, group): NodeInit[] => [
    node('Expand', [group === 0 ? 'x' : `small${group - 1}`, 'wide'], [`g${group}_0`]),
    ...Array.from({ length: size }, (_, layer) =>
      node('Conv', [`g${group}_${layer}`, 'w'], [`g${group}_${layer + 1}`]),
    ),
    node('GlobalAveragePool', [`g${group}_${size}`], [group === sizes.length - 1 ? 'y' : `small${group}`]),
  ]);
  return graphOf(nodes, {
    initializer: [int64s('wide', [1, 32, 256, 256]), floats('w', [32, 32, 1, 1])],
    input: [value('x', FLOAT, [1, 32, 1, 1])],
  });
}

/** A tensor of 4 GB between small ones. */
function wideTensor(): GraphInit {
  return graphOf('Tanh x > t; Expand t wide > e; ReduceMean e > m axes=[0]; Abs m > a; Neg a > y', {
    initializer: [int64s('wide', [1_000_000, 1024])],
    input: [value('x', FLOAT, [1, 1024])],
  });
}

function equalLayers(): GraphInit {
  const { nodes, weights } = tower('t', 12, 'x', 'y');
  return graphOf(nodes, { initializer: weights, input: [value('x', FLOAT, [1, 64])] });
}

describe('the notes on even slices', () => {
  it('say nothing of even slices, nor of slices whose number the user did not set', () => {
    expect(notesOf(equalLayers(), count(4))).toEqual({});
    expect(notesOf(unevenChain(), count(1))).toEqual({});
    expect(notesOf(unevenChain(), atTensors(['wide', 't']))).toEqual({});
    expect(notesOf(unevenChain(), automatic())).toEqual({});
  });

  it('name the slices that do less than a hundredth of the work, and the node that does it', () => {
    const { nearEmpty, inTheWay } = notesOf(unevenChain(), count(3));
    expect(nearEmpty).toMatch(/^slice \d does 0\.[\d]+ % of the work, slice \d does 0\.\d+ % of the work$/);
    expect(inTheWay).toMatch(
      /^node 'heavy' \(MatMul\) cannot be divided and takes 9\d(\.\d)? % of the time to load and to compute$/,
    );
  });

  it('say which weights a slice has that does nearly nothing', () => {
    const weights = [0, 9e6, 1e6];
    const { nearEmpty } = notesOf(unevenChain(), count(3), (size, slice) => ({
      ...size,
      weightBytes: weights[slice],
      coreSeconds: slice === 1 ? 0 : 1,
    }));
    expect(nearEmpty).toBe('slice 1 does 0 % of the work, with 90 % of the weights');
  });

  it('name the nodes between which cuts would move too many bytes', () => {
    expect(notesOf(grouped([2, 2, 8]), count(3))).toEqual({
      inTheWay: expect.stringMatching(
        /^the 10 nodes from node 'Expand_g2_0' \(Expand\) on take \d\d % of the time to load and to compute, and more even slices would need more than 2 times the bytes of the cheapest ones that share the work, or a larger function$/,
      ) as unknown,
    });
  });

  it('name the node that needs the memory', () => {
    expect(notesOf(wideTensor(), count(3)).inTheWay).toMatch(
      /node '(Expand_e|ReduceMean_m)' \(\w+\) alone needs a function of [\d,]+ MB$/,
    );
  });
});
