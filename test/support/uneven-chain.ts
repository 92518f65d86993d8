/** A model whose second node does nearly all of the work, so that no cut into three slices is even. */
import { type GraphInit, FLOAT, attribute, floats, node, value } from './model-builder';

export function unevenChain(): GraphInit {
  return {
    node: [
      node('Neg', ['x'], ['n']),
      { ...node('MatMul', ['n', 'w'], ['wide']), name: 'heavy' },
      node('ReduceMean', ['wide'], ['mean'], [attribute.ints('axes', [0, 1])]),
      node('Tanh', ['mean'], ['t']),
      node('Abs', ['t'], ['y']),
    ],
    initializer: [floats('w', [512, 512])],
    input: [value('x', FLOAT, [512, 512])],
    output: [value('y', FLOAT)],
  };
}
