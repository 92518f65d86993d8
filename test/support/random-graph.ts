/** Random models of elementwise operators, with shared weights, bodies that capture values, and several outputs. */
import * as fc from 'fast-check';
import { nodesOf } from './graph-text';
import {
  type ModelInit,
  BOOL,
  FLOAT,
  INT64,
  attribute,
  choice,
  floats,
  int64s,
  node,
  value,
} from './model-builder';

const WIDTH = 8;
const UNARY = ['Abs', 'Neg', 'Tanh', 'Relu', 'Sigmoid'];
const BINARY = ['Add', 'Sub', 'Mul', 'Max'];

interface Step {
  readonly kind: keyof typeof KINDS;
  readonly operator: number;
  readonly picks: readonly number[];
}

/** What a kind of step gets: the names of three earlier values, each taken when it is called, and numbers to choose by. */
interface Choices {
  readonly unary: string;
  readonly binary: string;
  readonly value: (pick: 0 | 1 | 2) => string;
  readonly weight: string;
}

/** Every value keeps the shape [1, 8]. */
const mean = (input: string, out: string): string => `ReduceMean ${input} > ${out} axes=[0] keepdims=1`;

/** The nodes of a step that computes the value `out`. */
const KINDS = {
  unary: (out: string, { unary, value: of }: Choices) => nodesOf(`${unary} ${of(0)} > ${out}`),
  binary: (out: string, { binary, value: of }: Choices) => nodesOf(`${binary} ${of(0)} ${of(1)} > ${out}`),
  weight: (out: string, { value: of, weight }: Choices) =>
    nodesOf(`Add ${of(0)} ${weight} > ${out}_sum; ${mean(`${out}_sum`, out)}`),
  split: (out: string, { value: of }: Choices) =>
    nodesOf(`Split ${of(0)} > ${out}_a ${out}_b axis=1; Concat ${out}_b ${out}_a > ${out} axis=1`),
  if: (out: string, { value: of }: Choices) => [
    choice('flag', out, nodesOf(`Neg ${of(0)} > ${out}_then`), nodesOf(`Neg ${of(1)} > ${out}_else`)),
  ],
  constant: (out: string, { value: of }: Choices) => [
    node('Constant', [], [`${out}_c`], [attribute.tensor('value', floats('', [1, WIDTH]))]),
    ...nodesOf(`Tanh ${out}_c > ${out}_t; Mul ${of(0)} ${out}_t > ${out}`),
  ],
  /** The inner body uses a value of the outermost graph and one of the body around it. */
  nested: (out: string, { value: of }: Choices) => {
    const operands = `${out}_neg ${of(1)}`;
    const branches = ['Add', 'Sub'].map((opType) => nodesOf(`${opType} ${operands} > ${out}_${opType}`));
    const inner = choice('flag', `${out}_inner`, branches[0], branches[1]);
    const outer = [...nodesOf(`Neg ${of(2)} > ${out}_neg`), inner];
    return [choice('flag', out, outer, nodesOf(`Abs ${of(0)} > ${out}_abs`))];
  },
  /** The state has the name of a value of the graph and so hides that value. */
  loop: (out: string, { value: of }: Choices) => {
    const captured = of(1);
    const state = captured === 'x' ? 'late' : 'x';
    const body = {
      node: nodesOf(
        `Identity ${out}_go > ${out}_go_on; Mul ${state} half > ${out}_less; Add ${out}_less ${captured} > ${out}_next`,
      ),
      input: [value(`${out}_i`, INT64, []), value(`${out}_go`, BOOL, []), value(state, FLOAT)],
      output: [value(`${out}_go_on`, BOOL), value(`${out}_next`, FLOAT)],
    };
    return [node('Loop', ['times', 'flag', of(0)], [out], [attribute.graph('body', body)])];
  },
  /** Expands two values of 32 bytes to 2 KiB, which cost less to recompute than to pass on. */
  expand: (out: string, { binary, value: of }: Choices) =>
    nodesOf(`
      Expand ${of(0)} tall > ${out}_tall; ${binary} ${out}_tall ${of(1)} > ${out}_both;
      Tanh ${out}_both > ${out}_bent; Add ${out}_bent ${out}_both > ${out}_sum; ${mean(`${out}_sum`, out)}`),
};

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('unary', 'binary', 'weight', 'split', 'if', 'constant', 'nested', 'loop', 'expand'),
  operator: fc.nat(9),
  picks: fc.array(fc.nat(1000), { minLength: 3, maxLength: 3 }),
});

/** Models with inputs `x` and `late` of float32[1,8] and `flag` of bool[]; every unused value is an output. */
export const randomModel: fc.Arbitrary<ModelInit> = fc
  .record({
    steps: fc.array(step, { minLength: 3, maxLength: 24 }),
    weights: fc.integer({ min: 1, max: 4 }),
    shuffle: fc.boolean(),
  })
  .map(({ steps, weights, shuffle }) => build(steps, weights, shuffle));

function build(steps: readonly Step[], weightCount: number, shuffle: boolean): ModelInit {
  const values = ['x', 'late'];
  const used = new Set<string>();
  const nodes = steps.flatMap(({ kind, operator, picks }, index) => {
    const added = KINDS[kind](`v${index}`, {
      unary: UNARY[operator % UNARY.length],
      binary: BINARY[operator % BINARY.length],
      value: (pick) => {
        const name = values[picks[pick] % values.length];
        used.add(name);
        return name;
      },
      weight: `w${picks[1] % weightCount}`,
    });
    values.push(`v${index}`);
    return added;
  });
  const unused = values.filter((name) => name.startsWith('v') && !used.has(name));
  return {
    graph: {
      node: shuffle ? [...nodes].reverse() : nodes,
      initializer: [
        // From a few bytes to beyond the size at which weights leave the graph.
        ...Array.from({ length: weightCount }, (_, index) =>
          floats(`w${index}`, [index % 2 === 0 ? 1 : 64, WIDTH]),
        ),
        int64s('times', [2], []),
        floats('half', [1], [0.5]),
        int64s('tall', [64, WIDTH]),
      ],
      input: [value('x', FLOAT, [1, WIDTH]), value('late', FLOAT, [1, WIDTH]), value('flag', BOOL, [])],
      output: unused.map((name) => value(name, FLOAT)),
    },
    opset: 13,
  };
}
