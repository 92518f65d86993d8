/** Finds parts of a model that do not need each other, such as two towers, and an order in which each lies in one piece. */
import type { NodeIndex } from '../../onnx/model';
import type { Dataflow } from '../../dataflow/dataflow';
import { WeightTable } from '../../dataflow/weights';

/** A topological order in which each branch lies in one piece. */
export interface BranchOrder {
  readonly order: readonly NodeIndex[];
  /** Places to cut at for branches to run side by side: where one begins, and where the part ends that they share. */
  readonly partings: readonly number[];
  /** Places to cut at for what joins branches to stand alone. */
  readonly joins: readonly number[];
}

/** A branch with less of the work than this is not worth a function of its own. */
const MIN_SHARE = 0.1;

/**
 * Depth first from the outputs, so that all that only one input of a node needs comes before the next one.
 *
 * @returns `undefined` where no node joins two branches that are worth it
 */
export function findBranches(dataflow: Dataflow, bytes: readonly number[]): BranchOrder | undefined {
  const search = new BranchSearch(dataflow, bytes);
  search.visitAll();
  const { order, partings, joins } = search;
  // Nodes that no output needs are not reached: where they are shared out, as around float16, nothing is reordered.
  if (partings.size === 0 || order.length !== dataflow.order.length) return undefined;
  const ascending = (places: ReadonlySet<number>): number[] =>
    [...places].filter((place) => place > 0 && place < order.length).sort((a, b) => a - b);
  return { order, partings: ascending(partings), joins: ascending(joins) };
}

/** The places in the order of what a node needs and nobody before it had needed. */
interface Subtree {
  readonly start: number;
  readonly end: number;
}

class BranchSearch {
  readonly order: NodeIndex[] = [];
  readonly partings = new Set<number>();
  readonly joins = new Set<number>();
  private readonly place = new Map<NodeIndex, number>();
  /** Work of all nodes before each place. */
  private readonly before: number[] = [0];
  private readonly table: WeightTable;
  private readonly shared: ReadonlySet<NodeIndex>;
  private readonly total: number;

  constructor(
    private readonly dataflow: Dataflow,
    bytes: readonly number[],
  ) {
    this.table = new WeightTable(dataflow, bytes);
    this.shared = new Set(dataflow.order);
    this.total = dataflow.order.reduce((sum, node) => sum + this.work(node), 0);
  }

  visitAll(): void {
    const { outputs } = this.dataflow.model.graph;
    const subtrees = outputs.map(({ value }) => this.visit(this.producer(value)));
    this.join(subtrees);
  }

  /** With a stack of its own: models are deeper than that of the language. */
  private visit(root: NodeIndex | undefined): Subtree {
    const start = this.order.length;
    const open = new Set<NodeIndex>();
    const stack: { node: NodeIndex; next: number; children: Subtree[]; from: number }[] = [];
    const push = (node: NodeIndex | undefined): void => {
      if (node === undefined || this.place.has(node) || open.has(node)) return;
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
    this.place.set(node, this.order.length);
    this.order.push(node);
    this.before.push(this.before[this.before.length - 1] + this.work(node));
  }

  /** Notes where to cut for the heavy ones among the subtrees, which are about to be joined. */
  private join(subtrees: readonly Subtree[]): void {
    const heavy = subtrees.filter((subtree) => this.isHeavy(subtree));
    const [first, ...others] = heavy;
    if (others.length === 0) return;
    // What the others need of the first one comes before all of them: it is shared.
    const shared = Math.max(first.start, ...others.map((other) => this.sharedUntil(other, first)));
    if (!this.isHeavy({ start: shared, end: first.end })) return;
    this.partings.add(shared);
    for (const other of others) this.partings.add(other.start);
    this.joins.add(heavy[heavy.length - 1].end);
  }

  /** The place behind the last node of `first` that something in `other` reads. */
  private sharedUntil(other: Subtree, first: Subtree): number {
    let until = first.start;
    for (let place = other.start; place < other.end; place++) {
      for (const value of this.dataflow.reads[this.order[place]]) {
        const read = this.place.get(this.producer(value) ?? -1) ?? -1;
        if (read >= first.start && read < first.end) until = Math.max(until, read + 1);
      }
    }
    return until;
  }

  private isHeavy({ start, end }: Subtree): boolean {
    return end > start && this.before[end] - this.before[start] >= MIN_SHARE * this.total;
  }

  private producer(value: number): NodeIndex | undefined {
    const { producer } = this.dataflow.model.graph.values[value];
    return producer !== undefined && this.shared.has(producer) ? producer : undefined;
  }

  /** A guess at how long a node takes, by what it reads of weights and what it makes. */
  private work(node: NodeIndex): number {
    const { values } = this.dataflow.model.graph;
    const weights = this.table.held[node].reduce((sum, value) => {
      const { initializer } = values[value];
      return sum + (initializer === undefined ? 0 : this.table.initializerBytes[initializer]);
    }, 0);
    return weights + this.table.outputBytes(node);
  }
}
