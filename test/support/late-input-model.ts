/** A model whose middle slice reads the request, and whose last slice returns an output of the first slice. */
import { Slicing } from '../../lib';
import { FLOAT, floats, node, saveModel, value } from './model-builder';

const WIDTH = 16;
const tensor = (name: string): object => value(name, FLOAT, [1, WIDTH]);
const weight = (name: string): ReturnType<typeof floats> => floats(name, [WIDTH, WIDTH]);

/** Slice 0: x → t0 and the output `early`; slice 1: t0 and the input `late` → a1; slice 2: a1 → y. */
export const lateInput = {
  modelPath: saveModel({
    graph: {
      node: [
        node('MatMul', ['x', 'w0'], ['early']),
        node('Tanh', ['early'], ['t0']),
        node('MatMul', ['t0', 'w1'], ['m1']),
        node('Add', ['m1', 'late'], ['a1']),
        node('MatMul', ['a1', 'w2'], ['y']),
      ],
      initializer: [weight('w0'), weight('w1'), weight('w2')],
      input: [tensor('x'), tensor('late')],
      output: [tensor('y'), tensor('early')],
    },
  }),
  slicing: Slicing.atTensors(['t0', 'a1']),
};
