/** Counts bytes and requests for the objects of a run in S3, from the tensors that `plan.json` lists. */
import type { PlanFile, Read, Tensor } from './deployment';

const MIB = 2 ** 20;

/** Functions read on over gaps up to this size (docs/costs.md: neighboring tensors). */
const GAP = 256 * 1024;
const FIRST = 8 * MIB;
const PART = 16 * MIB;

/** Believed sizes of the header of an object: for the object, and for each tensor. */
const HEADER = { object: 200, tensor: 160 };

const ELEMENT: Readonly<Record<string, number>> = {
  float32: 4,
  int64: 8,
  int32: 4,
  bool: 1,
  float16: 2,
  uint8: 1,
};

export function bytesOf({ dimensions }: PlanFile, { dtype, shape, name }: Tensor): number {
  if (shape === null || !(dtype in ELEMENT)) throw new Error(`the size of ${name} is not known`);
  return shape.reduce<number>((product, size) => {
    const known = typeof size === 'string' ? dimensions[size] : size;
    if (typeof known !== 'number') throw new Error(`a size of ${name} is not known`);
    return product * known;
  }, ELEMENT[dtype]);
}

export const totalOf = (plan: PlanFile, tensors: readonly Tensor[]): number =>
  tensors.reduce((sum, tensor) => sum + bytesOf(plan, tensor), 0);

const keyOf = ({ source }: Read): number => (source.from === 'request' ? -1 : source.slice);

/** By the slice that wrote them, or -1 for the request: what a slice reads. The last slice also reads the results that it does not compute. */
export function readsOf(plan: PlanFile, slice: number): ReadonlyMap<number, readonly Read[]> {
  const isLast = slice === plan.slices.length - 1;
  const elsewhere = isLast ? plan.outputs.filter((result) => keyOf(result) !== slice) : [];
  const reads = new Map<number, Map<string, Read>>();
  for (const read of [...plan.slices[slice].inputs, ...elsewhere]) {
    const own = reads.get(keyOf(read)) ?? new Map<string, Read>();
    reads.set(keyOf(read), own.set(read.name, read));
  }
  return new Map([...reads].map(([source, tensors]) => [source, [...tensors.values()]]));
}

/** The last slice writes all results. */
export function writesOf(plan: PlanFile, slice: number): readonly Tensor[] {
  if (slice < plan.slices.length - 1) return plan.slices[slice].outputs;
  return [...new Map(plan.outputs.map((result) => [result.name, result])).values()];
}

/** GETs for these tensors of an object that holds `all` in this order, the larger elements first. */
export function getsOf(plan: PlanFile, all: readonly Tensor[], wanted: readonly Tensor[]): number {
  const header =
    HEADER.object + all.reduce((sum, { name }) => sum + HEADER.tensor + 2 * (name.length + 2), 0);
  const names = new Set(wanted.map(({ name }) => name));
  const inOrder = [...all].sort((a, b) => ELEMENT[b.dtype] - ELEMENT[a.dtype]);
  /** Stretches to read: [start, end]. */
  const stretches: [number, number][] = [];
  let position = header;
  for (const tensor of inOrder) {
    const start = position;
    position += bytesOf(plan, tensor);
    if (!names.has(tensor.name)) continue;
    const last = stretches.at(-1);
    if (last !== undefined && start - last[1] <= GAP) last[1] = position;
    else stretches.push([start, position]);
  }
  // The first request has the header and what follows it.
  const first = stretches.at(0);
  if (first !== undefined && first[0] < FIRST && first[0] - header <= GAP)
    first[0] = Math.min(first[1], FIRST);
  return 1 + stretches.reduce((sum, [start, end]) => sum + Math.ceil((end - start) / PART), 0);
}

/** Characters of base64 of a slice's object, in an event. */
export function charactersOf(plan: PlanFile, written: readonly Tensor[]): number {
  const headers = written.reduce(
    (sum, { name }) => sum + HEADER.tensor + 2 * (name.length + 2),
    HEADER.object,
  );
  return (4 / 3) * (headers + totalOf(plan, written));
}
