/** A model whose second node does nearly all of the work, so that no cut into three slices is even. */
import { graphOf } from './graph-text';
import { type GraphInit, FLOAT, floats, value } from './model-builder';

export function unevenChain(): GraphInit {
  return graphOf(
    'Neg x > n; MatMul n w > wide; ReduceMean wide > mean axes=[0,1]; Tanh mean > t; Abs t > y',
    {
      initializer: [floats('w', [512, 512])],
      input: [value('x', FLOAT, [512, 512])],
    },
  );
}
