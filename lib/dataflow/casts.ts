/**
 * Where ONNX Runtime sees casts. It merges a cast with one behind it even with optimization off, and does so after it has
 * put the nodes of functions in the place of their calls; some standard operators are functions to it as well.
 */
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { LocalFunction, Model, Node, OperatorUse, ValueIndex } from '../onnx/model';
import { OMITTED } from '../onnx/model';

/** Which inputs and outputs of an operator are those of casts in it, by position. */
interface CastPositions {
  readonly takes: readonly number[];
  readonly makes: readonly number[];
}

const NONE: CastPositions = { takes: [], makes: [] };
const CAST: CastPositions = { takes: [0], makes: [0] };

/** Standard operators that are casts, or may be put in place of by functions that begin with one. */
const OPERATORS: Readonly<Partial<Record<string, CastPositions>>> = {
  Cast: CAST,
  CastLike: CAST,
  GroupNormalization: { takes: [0], makes: [] },
  RMSNormalization: { takes: [0], makes: [] },
};

/** The casts at the borders of a model's nodes. Those in body graphs are not merged with those outside. */
export class Casts {
  /** By node: the values that a cast takes there. */
  readonly taken: readonly (readonly ValueIndex[])[];
  /** Values that a cast makes and another takes. */
  readonly between: ReadonlySet<ValueIndex>;
  private readonly made = new Set<ValueIndex>();
  private readonly functions: ReadonlyMap<string, LocalFunction>;
  private readonly known = new Map<LocalFunction, CastPositions>();

  constructor(model: Model) {
    this.functions = functionsByKey(model);
    const { nodes } = model.graph;
    const positions = nodes.map((node) => this.positions(useOf(node)));
    this.taken = nodes.map(({ inputs }, node) => at(inputs, positions[node].takes));
    for (const { index, outputs } of nodes) {
      for (const value of at(outputs, positions[index].makes)) this.made.add(value);
    }
    this.between = new Set(this.taken.flat().filter((value) => this.made.has(value)));
  }

  /** Whether the value is what a cast gives. */
  makes(value: ValueIndex): boolean {
    return this.made.has(value);
  }

  private positions(use: OperatorUse): CastPositions {
    const fn = this.functions.get(callKey(use));
    if (fn) return this.inFunction(fn);
    if (use.domain !== '' || !Object.hasOwn(OPERATORS, use.opType)) return NONE;
    return OPERATORS[use.opType] ?? NONE;
  }

  /** Functions do not call themselves: the parser has checked it, and how deep they go. */
  private inFunction(fn: LocalFunction): CastPositions {
    const known = this.known.get(fn);
    if (known) return known;
    const taken = new Set<string>();
    const made = new Set<string>();
    for (const { use, inputs, outputs } of fn.nodes) {
      const { takes, makes } = this.positions(use);
      for (const position of takes) taken.add(inputs.at(position) ?? '');
      for (const position of makes) made.add(outputs.at(position) ?? '');
    }
    const found = { takes: positionsOf(fn.inputs, taken), makes: positionsOf(fn.outputs, made) };
    this.known.set(fn, found);
    return found;
  }
}

/** A node's own operator comes after those of its body graphs. */
function useOf({ operators }: Node): OperatorUse {
  return operators[operators.length - 1];
}

function at(values: readonly ValueIndex[], positions: readonly number[]): ValueIndex[] {
  return positions.map((position) => values.at(position) ?? OMITTED).filter((value) => value !== OMITTED);
}

function positionsOf(names: readonly string[], wanted: ReadonlySet<string>): number[] {
  return names.flatMap((name, position) => (wanted.has(name) ? [position] : []));
}
