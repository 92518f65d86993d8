/** Tiny models for tests of the commands. */
import { graphOf, nodesOf } from './graph-text';
import { type ModelInit, BOOL, FLOAT, INT64, attribute, floats, int64s, node, value } from './model-builder';

const four = (name: string, type = FLOAT, rows: number | string = 1) => value(name, type, [rows, 4]);

/** A model of one input and one output of 4 floats. */
export function unary(
  nodes: readonly (readonly [operator: string, input: string, output: string])[],
): ModelInit {
  const all = nodes.map(([operator, input, output]) => node(operator, [input], [output]));
  return { graph: graphOf(all, { input: [four('x')], output: [four('y')] }) };
}

/** Outputs of the first node, of a node with two outputs, and of the last node. Another node also reads one of them. */
export function manyOutputs(): ModelInit {
  return {
    graph: graphOf('Tanh x > early; TopK early two > best places; Neg best > negated; Exp negated > late', {
      initializer: [int64s('two', [2])],
      input: [four('x', FLOAT, 'batch')],
      output: [
        value('late', FLOAT, ['batch', 2]),
        four('early', FLOAT, 'batch'),
        value('places', INT64, ['batch', 2]),
      ],
    }),
  };
}

/** Two inputs of different dtypes that share a symbolic dimension. */
export function twoInputs(): ModelInit {
  return {
    graph: graphOf('Cast ids > scale to=1; Mul x scale > scaled; Tanh scaled > y', {
      input: [four('x', FLOAT, 'batch'), value('ids', INT64, ['batch', 1])],
      output: [four('y', FLOAT, 'batch')],
    }),
  };
}

/** Needs rows of exactly `columns` floats, although its signature has a symbolic dimension there. */
export function pickyAboutColumns(columns: number): ModelInit {
  return {
    graph: graphOf('Concat x w > rows axis=0; Neg rows > y', {
      initializer: [floats('w', [1, columns])],
      input: [value('x', FLOAT, ['rows', 'columns'])],
      output: [value('y', FLOAT, ['more_rows', 'columns'])],
    }),
  };
}

/** Computes forever if an element of its input is above 1,000. */
export function endless(): ModelInit {
  const body = {
    node: nodesOf('Identity go_on > goes_on; Neg state > next'),
    input: [value('step', INT64, []), value('go_on', BOOL, []), four('state')],
    output: [value('goes_on', BOOL, []), four('next')],
  };
  const loop = node('Loop', ['steps', 'is_endless', 'x'], ['looped'], [attribute.graph('body', body)]);
  const condition = nodesOf('ReduceMax x > largest keepdims=0; Greater largest limit > is_endless');
  return {
    graph: graphOf([...condition, loop, node('Neg', ['looped'], ['y'])], {
      initializer: [int64s('steps', [Number.MAX_SAFE_INTEGER], []), floats('limit', [], [1000])],
      input: [four('x')],
      output: [four('y')],
    }),
  };
}

/** A convolution, a normalization that ONNX Runtime's optimizer folds into it, and two more nodes. */
export function normalized(): ModelInit {
  const perChannel = Object.entries({ scale: 0.3, bias: -1, mean: 0.1, variance: 0.9 }).map(([name, start]) =>
    floats(
      name,
      [4],
      [0, 1, 2, 3].map((index) => start + index / 7),
    ),
  );
  const nodes =
    'Conv x kernel > c; BatchNormalization c scale bias mean variance > n; Sigmoid n > s; Exp s > y';
  return {
    graph: graphOf(nodes, {
      initializer: [floats('kernel', [4, 3, 3, 3]), ...perChannel],
      input: [value('x', FLOAT, [1, 3, 8, 8])],
    }),
  };
}
