import * as fc from 'fast-check';
import { analyzeDataflow } from '../../../../lib/dataflow/dataflow';
import { parseModel } from '../../../../lib/onnx/parse';
import { executionOrder } from '../../../../lib/plan/sizes/slice-sizes';
import { saveModel } from '../../../support/model-builder';
import { randomModel } from '../../../support/random-graph';
import { readFreshFilesAtOnce } from '../../../support/inference/fast-analysis';
import { cases } from '../../../support/full-checks';

readFreshFilesAtOnce();

describe('the order of execution', () => {
  it('has each node once, after the nodes that compute what it needs', () => {
    fc.assert(
      fc.property(randomModel, (init) => {
        const dataflow = analyzeDataflow(parseModel(saveModel(init)));
        const all = [...dataflow.model.graph.nodes.keys()].sort(
          (a, b) => dataflow.rank[a] - dataflow.rank[b],
        );
        const order = executionOrder(dataflow, all);
        expect([...order].sort((a, b) => a - b)).toEqual([...all].sort((a, b) => a - b));
        const place = new Map(order.map((index, position) => [index, position]));
        for (const index of order) {
          for (const needed of dataflow.needs[index]) {
            const { producer } = dataflow.model.graph.values[needed];
            if (producer !== undefined) expect(place.get(producer)).toBeLessThan(place.get(index) ?? -1);
          }
        }
      }),
      { numRuns: cases(20, 100) },
    );
  });

  it('is found for 200,000 nodes in a chain', () => {
    const needs = Array.from({ length: 200_000 }, (_, index) => (index === 0 ? [] : [index - 1]));
    const values = needs.map((_, index) => ({ name: '', producer: index }));
    const model = { graph: { values } } as never;
    const order = executionOrder({ needs, model }, [...needs.keys()]);
    expect([order[0], order[199_999]]).toEqual([0, 199_999]);
  });
});
