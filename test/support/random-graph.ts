/** Random models of elementwise operators, with shared weights, bodies that capture values, and several outputs. */
import * as fc from 'fast-check';
import {
  type GraphInit,
  type ModelInit,
  type NodeInit,
  type TensorInit,
  BOOL,
  FLOAT,
  INT64,
  attribute,
  floats,
  int64s,
  node,
  value,
} from './model-builder';

const WIDTH = 8;
const UNARY = ['Abs', 'Neg', 'Tanh', 'Relu', 'Sigmoid'];
const BINARY = ['Add', 'Sub', 'Mul', 'Max'];

interface Step {
  readonly kind: 'unary' | 'binary' | 'weight' | 'split' | 'if' | 'constant' | 'nested' | 'loop' | 'expand';
  readonly operator: number;
  readonly picks: readonly number[];
}

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
  const builder = new RandomGraph(weightCount);
  steps.forEach((each, index) => {
    builder.add(each, `v${index}`);
  });
  const { nodes } = builder;
  return {
    graph: {
      node: shuffle ? [...nodes].reverse() : nodes,
      initializer: initializers(weightCount),
      input: [value('x', FLOAT, [1, WIDTH]), value('late', FLOAT, [1, WIDTH]), value('flag', BOOL, [])],
      output: builder.unused().map((name) => value(name, FLOAT)),
    },
    opset: 13,
  };
}

function initializers(weightCount: number): TensorInit[] {
  return [
    // From a few bytes to beyond the size at which weights leave the graph.
    ...Array.from({ length: weightCount }, (_, index) =>
      floats(`w${index}`, [index % 2 === 0 ? 1 : 64, WIDTH]),
    ),
    { name: 'times', dataType: INT64, dims: [], rawData: new Uint8Array(BigInt64Array.of(2n).buffer) },
    floats('half', [1], [0.5]),
    int64s('tall', [64, WIDTH]),
  ];
}

/** The nodes of a random graph, each step with inputs picked from the values of the steps before it. */
class RandomGraph {
  readonly nodes: NodeInit[] = [];
  private readonly values = ['x', 'late'];
  private readonly used = new Set<string>();

  constructor(private readonly weightCount: number) {}

  /** Adds the nodes of a step, which computes the value `out`. */
  add({ kind, operator, picks }: Step, out: string): void {
    switch (kind) {
      case 'unary':
        this.push(UNARY[operator % UNARY.length], [this.pick(picks[0])], [out]);
        break;
      case 'binary':
        this.push(BINARY[operator % BINARY.length], [this.pick(picks[0]), this.pick(picks[1])], [out]);
        break;
      case 'weight':
        this.addWeight(picks, out);
        break;
      case 'split':
        this.addSplit(picks, out);
        break;
      case 'if':
        this.addIf(picks, out);
        break;
      case 'nested':
        this.addNested(picks, out);
        break;
      case 'loop':
        this.addLoop(picks, out);
        break;
      case 'expand':
        this.addExpand(operator, picks, out);
        break;
      case 'constant':
        this.push('Constant', [], [`${out}_c`], [attribute.tensor('value', floats('', [1, WIDTH]))]);
        this.push('Tanh', [`${out}_c`], [`${out}_t`]);
        this.push('Mul', [this.pick(picks[0]), `${out}_t`], [out]);
        break;
    }
    this.values.push(out);
  }

  /** The results of steps that no later step picked. */
  unused(): string[] {
    return this.values.filter((name) => name.startsWith('v') && !this.used.has(name));
  }

  private pick(seed: number): string {
    const name = this.values[seed % this.values.length];
    this.used.add(name);
    return name;
  }

  private push(...init: Parameters<typeof node>): void {
    this.nodes.push(node(...init));
  }

  private addWeight(picks: readonly number[], out: string): void {
    this.push('Add', [this.pick(picks[0]), `w${picks[1] % this.weightCount}`], [`${out}_sum`]);
    // [1, 8] + [64, 8] is reduced again, so that every value keeps its shape.
    this.pushMean(`${out}_sum`, out);
  }

  private pushMean(input: string, out: string): void {
    this.push('ReduceMean', [input], [out], [attribute.ints('axes', [0]), attribute.int('keepdims', 1)]);
  }

  private addSplit(picks: readonly number[], out: string): void {
    const halves = [`${out}_a`, `${out}_b`];
    this.push('Split', [this.pick(picks[0])], halves, [attribute.int('axis', 1)]);
    this.push('Concat', [halves[1], halves[0]], [out], [attribute.int('axis', 1)]);
  }

  private addIf(picks: readonly number[], out: string): void {
    const thenBranch = body(node('Neg', [this.pick(picks[0])], [`${out}_then`]));
    const elseBranch = body(node('Neg', [this.pick(picks[1])], [`${out}_else`]));
    this.nodes.push(ifNode(out, thenBranch, elseBranch));
  }

  /** The inner body uses a value of the outermost graph and one of the body around it. */
  private addNested(picks: readonly number[], out: string): void {
    const [middle, other] = [`${out}_neg`, this.pick(picks[1])];
    const inner = ifNode(
      `${out}_inner`,
      body(node('Add', [middle, other], [`${out}_add`])),
      body(node('Sub', [middle, other], [`${out}_sub`])),
    );
    const outer = body(node('Neg', [this.pick(picks[2])], [middle]), inner);
    const plain = body(node('Abs', [this.pick(picks[0])], [`${out}_abs`]));
    this.nodes.push(ifNode(out, outer, plain));
  }

  /** The state has the name of a value of the graph and so hides that value. */
  private addLoop(picks: readonly number[], out: string): void {
    const captured = this.pick(picks[1]);
    const state = captured === 'x' ? 'late' : 'x';
    const loopBody = {
      node: [
        node('Identity', [`${out}_go`], [`${out}_go_on`]),
        node('Mul', [state, 'half'], [`${out}_less`]),
        node('Add', [`${out}_less`, captured], [`${out}_next`]),
      ],
      input: [value(`${out}_i`, INT64, []), value(`${out}_go`, BOOL, []), value(state, FLOAT)],
      output: [value(`${out}_go_on`, BOOL), value(`${out}_next`, FLOAT)],
    };
    this.push('Loop', ['times', 'flag', this.pick(picks[0])], [out], [attribute.graph('body', loopBody)]);
  }

  /** Expands two values of 32 bytes to 2 KiB, which cost less to recompute than to pass on. */
  private addExpand(operator: number, picks: readonly number[], out: string): void {
    const [a, b] = [this.pick(picks[0]), this.pick(picks[1])];
    this.push('Expand', [a, 'tall'], [`${out}_tall`]);
    this.push(BINARY[operator % BINARY.length], [`${out}_tall`, b], [`${out}_both`]);
    this.push('Tanh', [`${out}_both`], [`${out}_bent`]);
    this.push('Add', [`${out}_bent`, `${out}_both`], [`${out}_sum`]);
    this.pushMean(`${out}_sum`, out);
  }
}

/** A body graph whose output is the float32 output of its last node. */
function body(...nodes: readonly NodeInit[]): GraphInit {
  return { node: nodes, output: [value(nodes[nodes.length - 1].output[0], FLOAT)] };
}

function ifNode(out: string, thenBranch: GraphInit, elseBranch: GraphInit): NodeInit {
  const branches = [attribute.graph('then_branch', thenBranch), attribute.graph('else_branch', elseBranch)];
  return node('If', ['flag'], [out], branches);
}
