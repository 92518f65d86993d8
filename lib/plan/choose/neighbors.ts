/** Plans that differ from a plan in one cut. */

/** Of at most so many legal cuts, each one is tried as a further cut; of more, the middle one of each slice. */
const MAX_ADDED = 24;

/**
 * The cuts with one moved by 1, 2, 4, ... legal places, one removed, or one added.
 *
 * @param legal ascending
 * @param cuts some of them, ascending
 */
export function neighborsOf(
  legal: readonly number[],
  cuts: readonly number[],
): readonly (readonly number[])[] {
  const places = cuts.map((cut) => legal.indexOf(cut));
  const slices = [-1, ...places].map((place, slice) => between(place, places[slice] ?? legal.length));
  const added = legal.length <= MAX_ADDED ? slices.flat() : slices.flatMap((own) => middleOf(own));
  const moved = places.flatMap((place, index) => {
    const [low, high] = [places[index - 1] ?? -1, places[index + 1] ?? legal.length];
    return [...distances(place - low), ...distances(high - place).map((distance) => -distance)].map(
      (distance) => places.with(index, place - distance),
    );
  });
  const removed = places.map((_, index) => places.filter((_place, other) => other !== index));
  return [...moved, ...removed, ...added.map((place) => [...places, place].sort((a, b) => a - b))].map(
    (own) => own.map((place) => legal[place]),
  );
}

/** 1, 2, 4, ... below the limit. */
function distances(limit: number): number[] {
  const found: number[] = [];
  for (let distance = 1; distance < limit; distance *= 2) found.push(distance);
  return found;
}

function between(low: number, high: number): number[] {
  return Array.from({ length: Math.max(0, high - low - 1) }, (_, index) => low + 1 + index);
}

function middleOf(values: readonly number[]): number[] {
  return values.length === 0 ? [] : [values[values.length >> 1]];
}
