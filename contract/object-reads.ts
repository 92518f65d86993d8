/** Which ranges of an object with tensors a function requests. The planner counts the same requests as functions send. */

/** Positions of bytes from `start` to `end`, without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Size of the first read. Most objects are shorter. Functions do not wait for unneeded bytes of it. */
export const FIRST_READ_BYTES = 8 * 1024 * 1024;

/** Parts of this size over six connections reach nearly all of a function's bandwidth. */
export const PART_BYTES = 16 * 1024 * 1024;

/** Reading this many unneeded bytes costs less than the latency of another request, or than a closed connection. */
export const MAX_GAP_BYTES = 256 * 1024;

/** The range from the first to the last of tensors that lie close to each other. */
export interface Neighbors extends ByteRange {
  /** How many tensors. */
  readonly count: number;
}

export interface ObjectReads {
  /** The neighbors of the header. Their bytes come with the first read, as far as it goes. */
  readonly streamed?: Neighbors;
  /** What the first read lacks of them. */
  readonly rest?: ByteRange;
  /** By ascending position. */
  readonly others: readonly Neighbors[];
}

/**
 * @param needed places of tensors in the object, ascending
 * @param at where the header ends
 * @param firstBytes length of the first read
 */
export function readsOf(needed: readonly ByteRange[], at: number, firstBytes: number): ObjectReads {
  const groups = neighbors(needed);
  const streamed = groups.at(0);
  if (streamed === undefined || streamed.start >= firstBytes || streamed.start - at > MAX_GAP_BYTES)
    return { others: groups };
  const beyond = needed.find(({ end }) => end > firstBytes);
  const rest =
    beyond !== undefined && streamed.end > firstBytes
      ? { start: Math.max(firstBytes, beyond.start), end: streamed.end }
      : undefined;
  return { streamed, ...(rest && { rest }), others: groups.slice(1) };
}

function neighbors(needed: readonly ByteRange[]): Neighbors[] {
  const groups: { start: number; end: number; count: number }[] = [];
  for (const { start, end } of needed) {
    const group = groups.at(-1);
    if (group !== undefined && start - group.end <= MAX_GAP_BYTES) {
      group.end = end;
      group.count++;
    } else groups.push({ start, end, count: 1 });
  }
  return groups;
}

export function partsOf({ start, end }: ByteRange, partBytes = PART_BYTES): ByteRange[] {
  const parts: ByteRange[] = [];
  for (let from = start; from < end; from += partBytes) {
    parts.push({ start: from, end: Math.min(from + partBytes, end) });
  }
  return parts;
}

/** The number of GETs by which a function reads these tensors: the first read, and a request for each further part. */
export function countGets(needed: readonly ByteRange[], at: number, firstBytes = FIRST_READ_BYTES): number {
  const { rest, others } = readsOf(needed, at, firstBytes);
  const ranges = rest === undefined ? others : [rest, ...others];
  return ranges.reduce((sum, range) => sum + partsOf(range).length, 1);
}
