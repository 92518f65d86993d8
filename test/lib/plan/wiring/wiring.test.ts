import { analyzeModel } from '../../../../lib/compile/analyze';
import { wireSlices } from '../../../../lib/plan/wiring/wiring';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import type { NodeInit } from '../../../support/model-builder';
import { FLOAT, INT64, attribute, node, saveModel, value } from '../../../support/model-builder';

analyzeFast();

const INT32 = 6;

describe('a value between two casts', () => {
  /** The names that the only slice declares as outputs. */
  function declared(more: readonly NodeInit[], outputs: readonly object[]) {
    const to = (type: number) => [attribute.int('to', type)];
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
