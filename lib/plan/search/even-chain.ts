/**
 * The goal of a cut into a fixed number of slices: the smallest largest function, by its memory, then by its time to load and to
 * compute, and then by its work, among the cuts that move few bytes.
 *
 * Every goal here is a limit on each stretch, and a chain of stretches within limits exists if the one with the fewest bytes does. So
 * bisection over the limits finds the best chain exactly.
 */
import { isNearEmpty } from './evenness';
import { movedAtLeast } from './settle';
import type { Chain, StretchChains, StretchLimits } from './stretch-chains';

/**
 * A cut shares the work if each slice does at least this part of what the smallest slice does in the cut that shares it best. Without
 * this, the fewest bytes would be those of slices of a few nodes at the ends of a model, which do nothing.
 */
const LEAST_PART = 0.5;

/**
 * How many times the bytes of the cheapest cut that shares the work an even cut may move. In `npm run bench:plan -- --only evenness`,
 * larger factors hardly make the largest slice smaller.
 */
export const MOST_BYTES_FACTOR = 2;

/** By this share, the largest slice may take longer and do more work than in the most even cut, if fewer bytes move then. */
export const EVEN_TOLERANCE = 0.1;

/** An even chain, and the most bytes that it could have moved. */
export interface EvenChain extends Chain {
  readonly mostBytes: number;
}

/**
 * @param ofAll seconds of computing of all slices together
 * @returns `undefined` if there is no chain
 */
export function evenChain(
  chains: StretchChains,
  slices: number,
  ofAll: number,
  bytesFactor = MOST_BYTES_FACTOR,
): EvenChain | undefined {
  const work = chains.secondsOfWork();
  const smallest = largestThat(work, (leastSeconds) => chains.fewestBytes({ leastSeconds }) !== undefined);
  if (smallest === undefined) return undefined;
  // If some slices do nearly nothing in every cut, only bytes count for them.
  const part = isNearEmpty(smallest, ofAll, slices) ? 0 : LEAST_PART * smallest;
  const sharing = chains.fewestBytes({ leastSeconds: part });
  if (sharing === undefined) return undefined;
  const mostBytes = bytesFactor * movedAtLeast({ movedBytes: sharing.movedBytes, slices });
  const isNear = (limits: StretchLimits): boolean => {
    const chain = chains.fewestBytes(limits);
    return chain !== undefined && chain.movedBytes <= mostBytes;
  };

  const mostMemoryMb = smallestThat(chains.memorySizes(), (most) => isNear({ mostMemoryMb: most }));
  // A large tensor may need a slice of its own, which then does less than its part.
  const leastSeconds = isNear({ mostMemoryMb, leastSeconds: part })
    ? part
    : largestThat(work, (least) => least < part && isNear({ mostMemoryMb, leastSeconds: least }));
  const within = { mostMemoryMb, leastSeconds };
  const mostMs =
    smallestThat(chains.milliseconds(), (most) => isNear({ ...within, mostMs: most })) ?? Infinity;
  const inTime = { ...within, mostMs: (1 + EVEN_TOLERANCE) * mostMs };
  // If one layer takes the longest in every cut, the work of the other slices still counts.
  const mostSeconds = smallestThat(work, (most) => isNear({ ...inTime, mostSeconds: most })) ?? Infinity;
  const chain = chains.fewestBytes({ ...inTime, mostSeconds: (1 + EVEN_TOLERANCE) * mostSeconds });
  return chain && { ...chain, mostBytes };
}

/** The smallest of the ascending numbers for which the condition holds; it holds for all larger ones too. */
function smallestThat(ascending: readonly number[], holds: (number: number) => boolean): number | undefined {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(ascending[middle])) high = middle;
    else low = middle + 1;
  }
  return ascending.at(low);
}

/** The largest of the ascending numbers for which the condition holds; it holds for all smaller ones too. */
function largestThat(ascending: readonly number[], holds: (number: number) => boolean): number | undefined {
  const descending = [...ascending].reverse();
  return smallestThat(descending, holds);
}
