/** Plans that differ from a plan in one cut. */

/** Of at most so many legal cuts, each one is tried as a further cut; of more, the middle one of each slice. */
const MAX_ADDED = 24;

/**
 * The cuts with one moved to the next legal place, one removed, or one added.
 *
 * @param legal ascending
 * @param cuts some of them, ascending
 */
export function neighborsOf(
  legal: readonly number[],
  cuts: readonly number[],
): readonly (readonly number[])[] {
  const places = cuts.map((cut) => legal.indexOf(cut));
  const free = (from: number, to: number): number[] => range(from + 1, to);
  const slices = [-1, ...places].map((place, slice) => free(place, places[slice] ?? legal.length));
  const added = legal.length <= MAX_ADDED ? slices.flat() : slices.flatMap((own) => middleOf(own));
  const moved = places.flatMap((place, index) =>
    [place - 1, place + 1]
      .filter((next) => next >= 0 && next < legal.length && !places.includes(next))
      .map((next) => places.with(index, next)),
  );
  const removed = places.map((_, index) => places.filter((_place, other) => other !== index));
  return [...moved, ...removed, ...added.map((place) => [...places, place].sort((a, b) => a - b))].map(
    (own) => own.map((place) => legal[place]),
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

function middleOf(values: readonly number[]): number[] {
  return values.length === 0 ? [] : [values[values.length >> 1]];
}
