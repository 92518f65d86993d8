/** Arbitrary models: random graphs of elementwise operators with shared weights, captures and several outputs. */
import * as fc from 'fast-check';
import type { ModelInit, NodeInit, TensorInit } from './model-builder';
import { BOOL, FLOAT, attribute, floats, node, value } from './model-builder';

const WIDTH = 8;
const UNARY = ['Abs', 'Neg', 'Tanh', 'Relu', 'Sigmoid'];
const BINARY = ['Add', 'Sub', 'Mul', 'Max'];

type Step =
  | { readonly kind: 'unary' | 'binary'; readonly operator: number; readonly picks: readonly number[] }
  | {
      readonly kind: 'weight' | 'split' | 'if' | 'constant';
      readonly operator: number;
      readonly picks: readonly number[];
    };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('unary', 'binary', 'weight', 'split', 'if', 'constant'),
  operator: fc.nat(9),
  picks: fc.array(fc.nat(1000), { minLength: 3, maxLength: 3 }),
});

/** Models with inputs `x` and `late` of float32 [1, 8] and `flag` of bool, and every unused value as an output. */
export const randomModel: fc.Arbitrary<ModelInit> = fc
  .record({
    steps: fc.array(step, { minLength: 3, maxLength: 24 }),
    weights: fc.integer({ min: 1, max: 4 }),
    shuffle: fc.boolean(),
  })
  .map(({ steps, weights, shuffle }) => build(steps, weights, shuffle));

function build(steps: readonly Step[], weightCount: number, shuffle: boolean): ModelInit {
  const nodes: NodeInit[] = [];
  const values = ['x', 'late'];
  const used = new Set<string>();
  const initializer: TensorInit[] = Array.from({ length: weightCount }, (_, index) =>
    // From a few bytes to beyond the size at which weights leave the graph.
    floats(`w${index}`, [index % 2 === 0 ? 1 : 64, WIDTH]),
  );
  const pick = (seed: number): string => {
    const name = values[seed % values.length];
    used.add(name);
    return name;
  };
  steps.forEach(({ kind, operator, picks }, index) => {
    const out = `v${index}`;
    switch (kind) {
      case 'unary':
        nodes.push(node(UNARY[operator % UNARY.length], [pick(picks[0])], [out]));
        break;
      case 'binary':
        nodes.push(node(BINARY[operator % BINARY.length], [pick(picks[0]), pick(picks[1])], [out]));
        break;
      case 'weight': {
        const [a, sum] = [pick(picks[0]), `${out}_sum`];
        // [1, 8] + [64, 8] is reduced again, so that every value keeps its shape.
        nodes.push(node('Add', [a, `w${picks[1] % weightCount}`], [sum]));
        nodes.push(
          node('ReduceMean', [sum], [out], [attribute.ints('axes', [0]), attribute.int('keepdims', 1)]),
        );
        break;
      }
      case 'split': {
        const halves = [`${out}_a`, `${out}_b`];
        nodes.push(node('Split', [pick(picks[0])], halves, [attribute.int('axis', 1)]));
        nodes.push(node('Concat', [halves[1], halves[0]], [out], [attribute.int('axis', 1)]));
        break;
      }
      case 'if': {
        const body = (name: string, capture: string) => ({
          node: [node('Neg', [capture], [name])],
          output: [value(name, FLOAT)],
        });
        nodes.push(
          node(
            'If',
            ['flag'],
            [out],
            [
              attribute.graph('then_branch', body(`${out}_then`, pick(picks[0]))),
              attribute.graph('else_branch', body(`${out}_else`, pick(picks[1]))),
            ],
          ),
        );
        break;
      }
      case 'constant':
        nodes.push(node('Constant', [], [`${out}_c`], [attribute.tensor('value', floats('', [1, WIDTH]))]));
        nodes.push(node('Tanh', [`${out}_c`], [`${out}_t`]));
        nodes.push(node('Mul', [pick(picks[0]), `${out}_t`], [out]));
        break;
    }
    values.push(out);
  });
  const outputs = values.filter((name) => name.startsWith('v') && !used.has(name));
  return {
    graph: {
      node: shuffle ? [...nodes].reverse() : nodes,
      initializer,
      input: [value('x', FLOAT, [1, WIDTH]), value('late', FLOAT, [1, WIDTH]), value('flag', BOOL, [])],
      output: outputs.map((name) => value(name, FLOAT)),
    },
    opset: 13,
  };
}
