/** Finds branches of a model that do not need each other, such as two towers, and sorts the nodes branch by branch. */
import type { NodeIndex } from '../../onnx/model';
import type { Dataflow } from '../../dataflow/dataflow';
import { type CutSpace, findCuts } from './cuts';
import { WeightTable } from '../../dataflow/weights';

interface BranchOrder {
  readonly order: readonly NodeIndex[];
  /** Cuts that let branches run in parallel: before each branch. Nodes that branches share come before the first cut. */
  readonly branchStarts: readonly number[];
  /** Cuts that separate the branches from the node that joins them. */
  readonly joins: readonly number[];
}

/** A branch needs at least this share of the total work to be worth a function of its own. */
const MIN_SHARE = 0.1;

/**
 * Searches depth first from the outputs, so all nodes that only one input of a node needs come before those of the next
 * input.
 *
 * @returns `undefined` if no node joins two branches that are worth a function each
 */
function findBranches(dataflow: Dataflow, bytes: readonly number[]): BranchOrder | undefined {
  const search = new BranchSearch(dataflow, bytes);
  search.visitAll();
  const { order, branchStarts, joins } = search;
  // The search does not reach nodes that no output needs. `dataflow.order` has such nodes around float16; keep its order then.
  if (branchStarts.size === 0 || order.length !== dataflow.order.length) return undefined;
  const ascending = (cuts: ReadonlySet<number>): number[] =>
    [...cuts].filter((cut) => cut > 0 && cut < order.length).sort((a, b) => a - b);
  return { order, branchStarts: ascending(branchStarts), joins: ascending(joins) };
}

/** The ways to keep branches apart: the node that joins them is in one range with the last branch, or in its own range. */
export function branchedSpaces(cuts: CutSpace) {
  const branches = findBranches(cuts.dataflow, cuts.bytes);
  if (branches === undefined) return [];
  const space = findCuts({ ...cuts.dataflow, order: branches.order }, cuts.rule, cuts.bytes, cuts.costs);
  const legal = new Set(space.legal);
  const withJoins = [...new Set([...branches.branchStarts, ...branches.joins])].sort((a, b) => a - b);
  const ways = [branches.branchStarts];
  if (withJoins.length > branches.branchStarts.length) ways.push(withJoins);
  return ways
    .filter((way) => way.every((cut) => legal.has(cut)))
    .map((way) => {
      const boundaries = [0, ...way, branches.order.length];
      return {
        space,
        ranges: boundaries.slice(1).map((end, index) => ({ start: boundaries[index], end })),
      };
    });
}

/** The positions in the order of the nodes that a node needs and that no earlier node needed; `end` is excluded. */
interface Subtree {
  readonly start: number;
  readonly end: number;
}

class BranchSearch {
  readonly order: NodeIndex[] = [];
  readonly branchStarts = new Set<number>();
  readonly joins = new Set<number>();
  private readonly position = new Map<NodeIndex, number>();
  private readonly workBefore: number[] = [0];
  private readonly table: WeightTable;
  private readonly assigned: ReadonlySet<NodeIndex>;
  private readonly total: number;

  constructor(
    private readonly dataflow: Dataflow,
    bytes: readonly number[],
  ) {
    this.table = new WeightTable(dataflow, bytes);
    this.assigned = new Set(dataflow.order);
    this.total = dataflow.order.reduce((sum, node) => sum + this.work(node), 0);
  }

  visitAll(): void {
    const { outputs } = this.dataflow.model.graph;
    const subtrees = outputs.map(({ value }) => this.visit(this.producer(value)));
    this.join(subtrees);
  }

  /** Uses an explicit stack, because models are deeper than the call stack allows. */
  private visit(root: NodeIndex | undefined): Subtree {
    const start = this.order.length;
    const open = new Set<NodeIndex>();
    const stack: { node: NodeIndex; next: number; children: Subtree[]; from: number }[] = [];
    const push = (node: NodeIndex | undefined): void => {
      if (node === undefined || this.position.has(node) || open.has(node)) return;
      open.add(node);
      stack.push({ node, next: 0, children: [], from: this.order.length });
    };
    push(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const reads = this.dataflow.reads[top.node];
      if (top.next < reads.length) {
        push(this.producer(reads[top.next++]));
        continue;
      }
      stack.pop();
      this.join(top.children);
      this.append(top.node);
      stack.at(-1)?.children.push({ start: top.from, end: this.order.length });
    }
    return { start, end: this.order.length };
  }

  private append(node: NodeIndex): void {
    this.position.set(node, this.order.length);
    this.order.push(node);
    this.workBefore.push(this.workBefore[this.workBefore.length - 1] + this.work(node));
  }

  private join(subtrees: readonly Subtree[]): void {
    const heavy = subtrees.filter((subtree) => this.isHeavy(subtree));
    const [first, ...others] = heavy;
    if (others.length === 0) return;
    // The search visits nodes that several subtrees need with the first subtree, so that part of it is shared.
    const shared = Math.max(first.start, ...others.map((other) => this.sharedUntil(other, first)));
    if (!this.isHeavy({ start: shared, end: first.end })) return;
    this.branchStarts.add(shared);
    for (const other of others) this.branchStarts.add(other.start);
    this.joins.add(heavy[heavy.length - 1].end);
  }

  /** The position after the last node of `first` that a node of `other` reads. */
  private sharedUntil(other: Subtree, first: Subtree): number {
    let until = first.start;
    for (let position = other.start; position < other.end; position++) {
      for (const value of this.dataflow.reads[this.order[position]]) {
        const read = this.position.get(this.producer(value) ?? -1) ?? -1;
        if (read >= first.start && read < first.end) until = Math.max(until, read + 1);
      }
    }
    return until;
  }

  private isHeavy({ start, end }: Subtree): boolean {
    return end > start && this.workBefore[end] - this.workBefore[start] >= MIN_SHARE * this.total;
  }

  private producer(value: number): NodeIndex | undefined {
    const { producer } = this.dataflow.model.graph.values[value];
    return producer !== undefined && this.assigned.has(producer) ? producer : undefined;
  }

  /** An estimate of a node's run time: the bytes of the weights that it reads and of the tensors that it computes. */
  private work(node: NodeIndex): number {
    const { values } = this.dataflow.model.graph;
    const weights = this.table.held[node].reduce((sum, value) => {
      const { initializer } = values[value];
      return sum + (initializer === undefined ? 0 : this.table.initializerBytes[initializer]);
    }, 0);
    return weights + this.table.outputBytes(node);
  }
}
