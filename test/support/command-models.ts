/** Tiny models for tests of the commands. */
import {
  type ModelInit,
  BOOL,
  FLOAT,
  INT64,
  STRING,
  attribute,
  floats,
  int64s,
  node,
  value,
} from './model-builder';

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

/** An `If` whose branches capture a computed value, a weight and an input of the outer graph. */
export function ifWithCaptures(): ModelInit {
  const branch = (name: string, nodes: ReturnType<typeof node>[]) =>
    attribute.graph(name, { node: nodes, output: [value(`${name}_result`, FLOAT)] });
  return {
    graph: {
      node: [
        node('Tanh', ['x'], ['a']),
        node('ReduceSum', ['x'], ['sum'], [attribute.int('keepdims', 0)]),
        node('Greater', ['sum', 'zero'], ['is_positive']),
        node('Exp', ['a'], ['b']),
        node(
          'If',
          ['is_positive'],
          ['chosen'],
          [
            branch('then_branch', [node('Add', ['a', 'w'], ['then_branch_result'])]),
            branch('else_branch', [node('Mul', ['b', 'x'], ['else_branch_result'])]),
          ],
        ),
        node('Add', ['chosen', 'b'], ['y']),
      ],
      initializer: [floats('zero', [], [0]), floats('w', [1, 4])],
      input: [value('x', FLOAT, [1, 4])],
      output: [value('y', FLOAT)],
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

/** String inputs, outputs and values that cross cuts. */
export function strings(): ModelInit {
  return {
    graph: {
      node: [
        node('Concat', ['words', 'words'], ['twice'], [attribute.int('axis', 0)]),
        node('Identity', ['twice'], ['same']),
        node('Concat', ['same', 'words'], ['y'], [attribute.int('axis', 0)]),
      ],
      input: [value('words', STRING, ['n'])],
      output: [value('y', STRING, ['m'])],
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

/** A weight of 4 floats with external data in the file `location`, which the model does not create. */
export function externalWeight(location: string): ModelInit {
  return {
    graph: {
      node: [node('Add', ['x', 'w'], ['y'])],
      initializer: [
        {
          name: 'w',
          dataType: FLOAT,
          dims: [4],
          dataLocation: 1,
          externalData: [
            { key: 'location', value: location },
            { key: 'length', value: '16' },
          ],
        },
      ],
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
