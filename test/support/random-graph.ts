/** Arbitrary models: graphs of elementwise operators with shared weights, body graphs, captures and several outputs. */
import * as fc from 'fast-check';
import type { ModelInit, NodeInit, TensorInit } from './model-builder';
import { BOOL, FLOAT, INT64, attribute, floats, int64s, node, value } from './model-builder';

const WIDTH = 8;
const UNARY = ['Abs', 'Neg', 'Tanh', 'Relu', 'Sigmoid'];
const BINARY = ['Add', 'Sub', 'Mul', 'Max'];

type Step =
  | { readonly kind: 'unary' | 'binary'; readonly operator: number; readonly picks: readonly number[] }
  | {
      readonly kind: 'weight' | 'split' | 'if' | 'constant' | 'nested' | 'loop' | 'expand';
      readonly operator: number;
      readonly picks: readonly number[];
    };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('unary', 'binary', 'weight', 'split', 'if', 'constant', 'nested', 'loop', 'expand'),
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
    // Some weights are small enough to stay in the graph, others are stored outside.
    floats(`w${index}`, [index % 2 === 0 ? 1 : 64, WIDTH]),
  );
  initializer.push({
    name: 'times',
    dataType: INT64,
    dims: [],
    rawData: new Uint8Array(BigInt64Array.of(2n).buffer),
  });
  initializer.push(floats('half', [1], [0.5]));
  initializer.push(int64s('tall', [64, WIDTH]));
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
        // Reduces [1, 8] + [64, 8] again, so that every value has the same shape.
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
      case 'nested': {
        // The inner body reads a value of the outermost graph and one of the body around it.
        const [middle, other] = [`${out}_neg`, pick(picks[1])];
        const inner = (name: string, operator_: string) => ({
          node: [node(operator_, [middle, other], [name])],
          output: [value(name, FLOAT)],
        });
        const outer = {
          node: [
            node('Neg', [pick(picks[2])], [middle]),
            node(
              'If',
              ['flag'],
              [`${out}_inner`],
              [
                attribute.graph('then_branch', inner(`${out}_add`, 'Add')),
                attribute.graph('else_branch', inner(`${out}_sub`, 'Sub')),
              ],
            ),
          ],
          output: [value(`${out}_inner`, FLOAT)],
        };
        const plain = {
          node: [node('Abs', [pick(picks[0])], [`${out}_abs`])],
          output: [value(`${out}_abs`, FLOAT)],
        };
        nodes.push(
          node(
            'If',
            ['flag'],
            [out],
            [attribute.graph('then_branch', outer), attribute.graph('else_branch', plain)],
          ),
        );
        break;
      }
      case 'loop': {
        // The state has the name of a value of the graph, and hides that value.
        const captured = pick(picks[1]);
        const state = captured === 'x' ? 'late' : 'x';
        const body = {
          node: [
            node('Identity', [`${out}_go`], [`${out}_go_on`]),
            node('Mul', [state, 'half'], [`${out}_less`]),
            node('Add', [`${out}_less`, captured], [`${out}_next`]),
          ],
          input: [value(`${out}_i`, INT64, []), value(`${out}_go`, BOOL, []), value(state, FLOAT)],
          output: [value(`${out}_go_on`, BOOL), value(`${out}_next`, FLOAT)],
        };
        nodes.push(node('Loop', ['times', 'flag', pick(picks[0])], [out], [attribute.graph('body', body)]));
        break;
      }
      case 'expand': {
        // Recomputing these 2 KB from 64 bytes is cheaper than passing them on.
        const [a, b] = [pick(picks[0]), pick(picks[1])];
        nodes.push(node('Expand', [a, 'tall'], [`${out}_tall`]));
        nodes.push(node(BINARY[operator % BINARY.length], [`${out}_tall`, b], [`${out}_both`]));
        nodes.push(node('Tanh', [`${out}_both`], [`${out}_bent`]));
        nodes.push(node('Add', [`${out}_bent`, `${out}_both`], [`${out}_sum`]));
        nodes.push(
          node(
            'ReduceMean',
            [`${out}_sum`],
            [out],
            [attribute.ints('axes', [0]), attribute.int('keepdims', 1)],
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
