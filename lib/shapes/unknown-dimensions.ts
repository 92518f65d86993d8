/** Upper bounds of products of dimensions that ONNX Runtime could not infer. */
import { smallestOf } from '../extremes';

/** Dimensions that one node made, and a bound of their product. */
interface Group {
  readonly names: readonly string[];
  readonly bound: number;
}

/**
 * ONNX Runtime names each unknown dimension once, where a node first makes it, and later nodes keep the name. A bound belongs to
 * all dimensions that a value got at once: two unknown dimensions of a slice have a product of at most the elements of its source.
 */
export class UnknownDimensions {
  /** By dimension: its groups, by their names. */
  private readonly groups = new Map<string, Map<string, Group>>();

  /** Bounds the product of the dimensions `names`. Of equal names, the smallest bound counts. */
  add(names: readonly string[], bound: number): void {
    const key = JSON.stringify(names);
    for (const name of names) {
      const groups = this.groups.get(name) ?? new Map<string, Group>();
      if (bound < (groups.get(key)?.bound ?? Infinity)) groups.set(key, { names, bound });
      this.groups.set(name, groups);
    }
  }

  /**
   * A bound of the product of the dimensions `names`, from as few groups as possible; `undefined` when a dimension is in none.
   */
  bound(names: readonly string[]): number | undefined {
    const left = new Set(names);
    const candidates = [...new Set(names.flatMap((name) => this.groupsOf(name)))].sort(
      (a, b) => b.names.length - a.names.length || a.bound - b.bound,
    );
    let bound = 1;
    for (const group of candidates) {
      if (!group.names.every((name) => left.has(name))) continue;
      for (const name of group.names) left.delete(name);
      bound *= group.bound;
    }
    // A value may keep one dimension of a group and lose the others: the bound of all of them holds for each.
    for (const name of left) {
      const smallest = smallestOf(this.groupsOf(name).map((group) => group.bound));
      if (!Number.isFinite(smallest)) return undefined;
      bound *= smallest;
    }
    return bound;
  }

  private groupsOf(name: string): Group[] {
    return [...(this.groups.get(name)?.values() ?? [])];
  }
}
