/**
 * The path for a fixed number of slices: that with the smallest largest function, by its memory, then by its time to load and to compute,
 * and then by its work, among the paths that move few bytes.
 *
 * Every goal here is a limit on each edge, and a path within limits exists if the one with the fewest bytes does. So bisection over the
 * limits, with one shortest path for each step, finds the best path exactly: these are bottleneck shortest paths, one criterion after the
 * other.
 */
import type { DetailedCostModel } from '../../cost/model';
import { busyMs, isNearEmpty } from '../sizes/evenness';
import { memoryMb } from '../sizes/estimate';
import type { CutGraph } from './cut-graph';
import { movedAtLeast } from './settle';
import { type ShortestPath, shortestPath } from './shortest-path';

/**
 * A cut shares the work if each slice does at least this part of what the smallest slice does in the cut that shares it best. Without
 * this, the fewest bytes would be those of slices of a few nodes at the ends of a model, which do nothing.
 */
const LEAST_PART = 0.5;

/**
 * How many times the bytes of the cheapest cut that shares the work an even cut may move: larger factors hardly make the largest slice smaller.
 */
export const MOST_BYTES_FACTOR = 2;

/** By this share, the largest slice may take longer and do more work than in the most even cut, if fewer bytes move then. */
export const EVEN_TOLERANCE = 0.1;

/** Limits on each slice. A limit that is absent does not bind. */
interface Limits {
  /** Of its function. */
  readonly mostMemoryMb?: number;
  /** Of computing on one vCPU. */
  readonly leastSeconds?: number;
  readonly mostSeconds?: number;
  /** Of its function in a run, see `busyMs`. */
  readonly mostMs?: number;
}

/** An even path, and the most bytes that its slices could have moved. */
export interface EvenPath {
  readonly path: readonly number[];
  readonly mostBytes: number;
}

/** @returns `undefined` if there is no path of so many slices */
export function evenPath(graph: CutGraph, slices: number, model: DetailedCostModel): EvenPath | undefined {
  const paths = new LimitedPaths(graph, slices, model);
  const work = ascending(paths.seconds);
  const smallest = largestThat(work, (leastSeconds) => paths.fewestBytes({ leastSeconds }) !== undefined);
  if (smallest === undefined) return undefined;
  // If some slices do nearly nothing in every cut, only bytes count for them.
  const part = isNearEmpty(smallest, graph.total.coreSeconds, slices) ? 0 : LEAST_PART * smallest;
  const sharing = paths.fewestBytes({ leastSeconds: part });
  if (sharing === undefined) return undefined;
  const mostBytes = MOST_BYTES_FACTOR * movedAtLeast({ movedBytes: sharing.weight, slices });
  const isNear = (limits: Limits): boolean => {
    const found = paths.fewestBytes(limits);
    return found !== undefined && found.weight <= mostBytes;
  };

  const mostMemoryMb = smallestThat(ascending(paths.memoryMb), (most) => isNear({ mostMemoryMb: most }));
  // A large tensor may need a slice of its own, which then does less than its part.
  const leastSeconds = isNear({ mostMemoryMb, leastSeconds: part })
    ? part
    : largestThat(work, (least) => least < part && isNear({ mostMemoryMb, leastSeconds: least }));
  const within = { mostMemoryMb, leastSeconds };
  const mostMs = smallestThat(ascending(paths.ms), (most) => isNear({ ...within, mostMs: most })) ?? Infinity;
  const inTime = { ...within, mostMs: (1 + EVEN_TOLERANCE) * mostMs };
  // If one layer takes the longest in every cut, the work of the other slices still counts.
  const mostSeconds = smallestThat(work, (most) => isNear({ ...inTime, mostSeconds: most })) ?? Infinity;
  const found = paths.fewestBytes({ ...inTime, mostSeconds: (1 + EVEN_TOLERANCE) * mostSeconds });
  return found && { path: found.path, mostBytes };
}

/** The edges of a graph as parallel lists, because a search goes through all of them many times. */
class LimitedPaths {
  readonly memoryMb: Float64Array;
  readonly seconds: Float64Array;
  readonly ms: Float64Array;
  private readonly bytes: Float64Array;
  private readonly squares: Float64Array;

  constructor(
    private readonly graph: CutGraph,
    private readonly slices: number,
    model: DetailedCostModel,
  ) {
    const { edges } = graph;
    this.bytes = Float64Array.from(edges, ({ size }) => size.readBytes + size.writeBytes);
    this.memoryMb = Float64Array.from(edges, ({ size }) => memoryMb(size));
    this.seconds = Float64Array.from(edges, ({ size }) => size.coreSeconds);
    this.ms = Float64Array.from(edges, ({ size }) => busyMs(size, model));
    this.squares = this.ms.map((ms) => ms * ms);
  }

  /** Of the paths within the limits, one that moves the fewest bytes, and of these the one whose times are the most even. */
  fewestBytes({
    mostMemoryMb = Infinity,
    leastSeconds = 0,
    mostSeconds = Infinity,
    mostMs = Infinity,
  }: Limits): ShortestPath | undefined {
    const { graph, memoryMb, seconds, ms } = this;
    const weights = this.bytes.map((bytes, edge) => {
      const isWithin =
        seconds[edge] >= leastSeconds &&
        seconds[edge] <= mostSeconds &&
        ms[edge] <= mostMs &&
        memoryMb[edge] <= mostMemoryMb;
      return isWithin ? bytes : Infinity;
    });
    return shortestPath(graph.vertices.length, graph.edges, weights, this.slices, this.squares);
  }
}

function ascending(numbers: Float64Array): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** The smallest of the ascending numbers for which the condition holds; it holds for all larger ones too. */
function smallestThat(numbers: readonly number[], holds: (number: number) => boolean): number | undefined {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(numbers[middle])) high = middle;
    else low = middle + 1;
  }
  return numbers.at(low);
}

/** The largest of the ascending numbers for which the condition holds; it holds for all smaller ones too. */
function largestThat(numbers: readonly number[], holds: (number: number) => boolean): number | undefined {
  return smallestThat([...numbers].reverse(), holds);
}
