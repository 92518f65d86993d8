/** A model whose middle slice reads the request, and whose last slice returns an output of the first slice. */
import { Slicing } from '../../lib';
import { graphOf } from './graph-text';
import { FLOAT, floats, saveModel, value } from './model-builder';

const WIDTH = 16;
const rows = (names: readonly string[]) => names.map((name) => value(name, FLOAT, [1, WIDTH]));
const NODES = 'MatMul x w0 > early; Tanh early > t0; MatMul t0 w1 > m1; Add m1 late > a1; MatMul a1 w2 > y';

/** Slice 0: x → t0 and the output `early`; slice 1: t0 and the input `late` → a1; slice 2: a1 → y. */
export const lateInput = {
  modelPath: saveModel({
    graph: graphOf(NODES, {
      initializer: ['w0', 'w1', 'w2'].map((name) => floats(name, [WIDTH, WIDTH])),
      ...{ input: rows(['x', 'late']), output: rows(['y', 'early']) },
    }),
  }),
  slicing: Slicing.atTensors(['t0', 'a1']),
};
