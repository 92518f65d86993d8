/** Cuts are those of the model, not of one size: requests with slightly other sizes would be cut alike. */
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { type Slicer, automatic, count } from '../../../lib/plan/slicers';
import { attentionBlocks } from '../../support/attention';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { type ModelInit, FLOAT, floats, saveModel, value } from '../../support/model-builder';
import { cases } from '../../support/full-checks';

analyzeFast();

const WIDTH = 16;

/** Blocks of attention with two heads. */
function transformer(blocks: number): ModelInit {
  const stack = attentionBlocks({ blocks, width: WIDTH, heads: 2, beforeSoftmax: ['Mul', 'scale'] });
  return {
    graph: {
      node: stack.nodes,
      initializer: [floats('scale', [1], [0.35]), ...stack.initializers],
      input: [value('x', FLOAT, ['batch', 'sequence', WIDTH])],
      output: [value(stack.result, FLOAT)],
    },
  };
}

/** By node that is in exactly one slice: its slice. */
function slicesOfNodes(file: string, dimensions: Readonly<Record<string, number>>, slicer: Slicer) {
  const { plan } = compileAnalyzed(analyzeModel(file, { dimensions }), slicer);
  const sliceOf = new Map<number, number>();
  plan.slices.forEach(({ nodes }, slice) => {
    for (const [first, last] of nodes)
      for (let index = first; index <= last; index++) sliceOf.set(index, slice);
  });
  return sliceOf;
}

/** The largest share of the nodes that change their slice from one set of sizes to the next. */
function largestMove(
  model: ModelInit,
  sizes: readonly Readonly<Record<string, number>>[],
  slicer: Slicer,
): number {
  const file = saveModel(model);
  const cuts = sizes.map((dimensions) => slicesOfNodes(file, dimensions, slicer));
  const moves = cuts.slice(1).map((next, index) => {
    const moved = [...next].filter(([each, slice]) => (cuts[index].get(each) ?? slice) !== slice);
    return moved.length / next.size;
  });
  return Math.max(...moves);
}

const SEQUENCES = Array.from({ length: cases(5, 17) }, (_, index) => ({ sequence: 120 + index }));
/** A cut may move between neighboring nodes with the same bytes. */
const NEIGHBORS = 0.05;

test.each<[string, Slicer]>([
  ['a number of slices', count(4)],
  ['the memory of functions', automatic(undefined, 'maxMemorySize')],
])('cuts by %s do not jump when a size changes a little', (_, slicer) => {
  expect(largestMove(transformer(4), SEQUENCES, slicer)).toBeLessThanOrEqual(NEIGHBORS);
});
