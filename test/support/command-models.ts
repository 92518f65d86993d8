/** Tiny models for tests of the commands. */
import { type ModelInit, BOOL, FLOAT, INT64, attribute, floats, int64s, node, value } from './model-builder';

/** A model of one input and one output of 4 floats. */
export function unary(
  nodes: readonly (readonly [operator: string, input: string, output: string])[],
): ModelInit {
  return {
    graph: {
      node: nodes.map(([operator, input, output]) => node(operator, [input], [output])),
      input: [value('x', FLOAT, [1, 4])],
      output: [value('y', FLOAT, [1, 4])],
    },
  };
}

/** Outputs of the first node, of a node with two outputs, and of the last node. Another node also reads one of them. */
export function manyOutputs(): ModelInit {
  return {
    graph: {
      node: [
        node('Tanh', ['x'], ['early']),
        node('TopK', ['early', 'two'], ['best', 'places']),
        node('Neg', ['best'], ['negated']),
        node('Exp', ['negated'], ['late']),
      ],
      initializer: [int64s('two', [2])],
      input: [value('x', FLOAT, ['batch', 4])],
      output: [
        value('late', FLOAT, ['batch', 2]),
        value('early', FLOAT, ['batch', 4]),
        value('places', INT64, ['batch', 2]),
      ],
    },
  };
}

/** An input that only the last node uses, and an input that is also an output. */
export function lateAndReturnedInputs(): ModelInit {
  return {
    graph: {
      node: [node('Tanh', ['x'], ['a']), node('Exp', ['a'], ['b']), node('Where', ['late', 'b', 'x'], ['y'])],
      input: [value('x', FLOAT, [1, 4]), value('late', BOOL, [1, 4]), value('returned', INT64, [2])],
      output: [value('returned', INT64, [2]), value('y', FLOAT, [1, 4])],
    },
  };
}

/** Two inputs of different dtypes that share a symbolic dimension. */
export function twoInputs(): ModelInit {
  return {
    graph: {
      node: [
        node('Cast', ['ids'], ['scale'], [attribute.int('to', FLOAT)]),
        node('Mul', ['x', 'scale'], ['scaled']),
        node('Tanh', ['scaled'], ['y']),
      ],
      input: [value('x', FLOAT, ['batch', 4]), value('ids', INT64, ['batch', 1])],
      output: [value('y', FLOAT, ['batch', 4])],
    },
  };
}

/** Needs rows of exactly `columns` floats, although its signature has a symbolic dimension there. */
export function pickyAboutColumns(columns: number): ModelInit {
  return {
    graph: {
      node: [node('Concat', ['x', 'w'], ['rows'], [attribute.int('axis', 0)]), node('Neg', ['rows'], ['y'])],
      initializer: [floats('w', [1, columns])],
      input: [value('x', FLOAT, ['rows', 'columns'])],
      output: [value('y', FLOAT, ['more_rows', 'columns'])],
    },
  };
}

/** Computes forever. */
export function endless(): ModelInit {
  const body = {
    node: [node('Identity', ['go_on'], ['goes_on']), node('Neg', ['state'], ['next'])],
    input: [value('step', INT64, []), value('go_on', BOOL, []), value('state', FLOAT, [1, 4])],
    output: [value('goes_on', BOOL, []), value('next', FLOAT, [1, 4])],
  };
  return {
    graph: {
      node: [
        node('Loop', ['steps', '', 'x'], ['looped'], [attribute.graph('body', body)]),
        node('Neg', ['looped'], ['y']),
      ],
      initializer: [int64s('steps', [Number.MAX_SAFE_INTEGER], [])],
      input: [value('x', FLOAT, [1, 4])],
      output: [value('y', FLOAT, [1, 4])],
    },
  };
}

/** A convolution, a normalization that ONNX Runtime's optimizer folds into it, and two more nodes. */
export function normalized(): ModelInit {
  const perChannel = (name: string, start: number) =>
    floats(
      name,
      [4],
      Array.from({ length: 4 }, (_, index) => start + index / 7),
    );
  return {
    graph: {
      node: [
        node('Conv', ['x', 'kernel'], ['c']),
        node('BatchNormalization', ['c', 'scale', 'bias', 'mean', 'variance'], ['n']),
        node('Sigmoid', ['n'], ['s']),
        node('Exp', ['s'], ['y']),
      ],
      initializer: [
        floats('kernel', [4, 3, 3, 3]),
        perChannel('scale', 0.3),
        perChannel('bias', -1),
        perChannel('mean', 0.1),
        perChannel('variance', 0.9),
      ],
      input: [value('x', FLOAT, [1, 3, 8, 8])],
      output: [value('y', FLOAT)],
    },
  };
}
