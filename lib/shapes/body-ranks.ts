/**
 * Proves ranks of what the branches of an `If` return. ONNX Runtime infers them too, but not through an `If` inside of a branch,
 * and not if only one of the branches can run.
 */
import type { Body, BodyNode } from './node-content';
import { readBody } from './node-content';
import type { ByteSource, Span } from '../onnx/wire';

/** The rank of a value; `undefined` if it is not proven. */
type Rank = number | undefined;

/** What is known of the values around a body. */
export interface Surroundings {
  readonly source: ByteSource;
  rank(name: string): Rank;
  /** The number of elements of a list. */
  length(name: string): number | undefined;
  /** Operators of one input whose result has its rank. */
  readonly sameRank: ReadonlySet<string>;
}

/** Bodies in bodies that are read. Models have few; a file could have thousands, and each needs stack. */
const MAX_DEPTH = 16;

/** Operators whose result has the shape to which they broadcast their inputs. */
const BROADCASTING: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'Sum', 'Mean', 'Max', 'Min', 'Where'],
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Xor'],
]);

/** The ranks of the results of the body at `span`. */
export function ranksOfBody(span: Span, around: Surroundings, depth = 0): Rank[] {
  if (depth > MAX_DEPTH) return [];
  const body = readBody(around.source, span);
  const inside = new BodyRanks(body, around, depth);
  return body.outputs.map((name) => inside.rank(name));
}

/** The ranks on which all branches agree. */
export function agreedRanks(branches: readonly (readonly Rank[])[]): Rank[] {
  const [first = [], ...others] = branches;
  return first.map((rank, place) => (others.every((other) => other[place] === rank) ? rank : undefined));
}

class BodyRanks implements Surroundings {
  readonly source: ByteSource;
  readonly sameRank: ReadonlySet<string>;
  private readonly ranks = new Map<string, Rank>();
  private readonly lengths = new Map<string, number | undefined>();

  constructor(
    { nodes, initializers }: Body,
    private readonly around: Surroundings,
    private readonly depth: number,
  ) {
    this.source = around.source;
    this.sameRank = around.sameRank;
    for (const { name, dims } of initializers) this.know(name, dims);
    for (const node of nodes) {
      const ranks = this.ranksOf(node);
      node.outputs.forEach((output, place) => {
        if (!this.ranks.has(output)) this.ranks.set(output, ranks[place]);
      });
    }
  }

  rank(name: string): Rank {
    return this.ranks.has(name) ? this.ranks.get(name) : this.around.rank(name);
  }

  length(name: string): number | undefined {
    return this.ranks.has(name) ? this.lengths.get(name) : this.around.length(name);
  }

  private know(name: string, dims: readonly number[]): void {
    this.ranks.set(name, dims.length);
    if (dims.length === 1) this.lengths.set(name, dims[0]);
  }

  private ranksOf(node: BodyNode): Rank[] {
    const { opType, domain, inputs, outputs, attributes } = node;
    if (domain !== '') return [];
    if (BROADCASTING.has(opType)) return [this.largest(inputs)];
    if (this.sameRank.has(opType)) return [this.rank(inputs[0])];
    switch (opType) {
      case 'Constant': {
        const tensor = attributes.get('value')?.tensor;
        if (tensor) this.know(outputs[0], tensor.dims);
        return [
          tensor?.dims.length ??
            (attributes.has('value_int') || attributes.has('value_float') ? 0 : undefined),
        ];
      }
      case 'Shape':
        return [1];
      case 'Size':
        return [0];
      case 'Reshape':
        return [this.length(inputs[1])];
      case 'Squeeze':
        return [sum(this.rank(inputs[0]), this.axes(node), -1)];
      case 'Unsqueeze':
        return [sum(this.rank(inputs[0]), this.axes(node), 1)];
      case 'If':
        return agreedRanks(
          ['then_branch', 'else_branch'].map((name) => {
            const body = attributes.get(name)?.body;
            return body ? ranksOfBody(body, this, this.depth + 1) : [];
          }),
        );
      default:
        return [];
    }
  }

  private largest(inputs: readonly string[]): Rank {
    const ranks = inputs.map((input) => this.rank(input));
    return ranks.reduce<Rank>(
      (most, rank) => (most === undefined || rank === undefined ? undefined : Math.max(most, rank)),
      0,
    );
  }

  /** The number of axes. Without axes, `Squeeze` removes all dimensions of size 1. */
  private axes({ inputs, attributes }: BodyNode): number | undefined {
    const own = attributes.get('axes')?.integers.length;
    return own ?? (inputs.length > 1 && inputs[1] !== '' ? this.length(inputs[1]) : undefined);
  }
}

function sum(rank: Rank, axes: number | undefined, sign: 1 | -1): Rank {
  if (rank === undefined || axes === undefined) return undefined;
  const changed = rank + sign * axes;
  return changed >= 0 ? changed : undefined;
}
