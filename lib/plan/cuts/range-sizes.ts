/** Computes the size that a slice would have for each range of nodes between two possible cuts. */
import type { ValueIndex } from '../../onnx/model';
import type { CutSpace } from './cuts';
import { type SliceSize, MAX_STATE_TENSORS, stateCharacters } from '../sizes/estimate';
import { sumOf } from '../../extremes';
import { HeldWeights } from '../../dataflow/weights';
import { sizeOf, usesFrom, RunMemory } from '../sizes/run-memory';
import { tablesOf } from '../sizes/slice-tables';
import { repeatedProducers } from '../sizes/node-memory';
import { ArenaPool } from '../sizes/arena';
import { type SliceGets, neighborGets } from '../sizes/object-gets';

/** Positions in `Dataflow.order` from `start` to `end`, without `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface RangeSize extends SliceSize {
  /** Characters that hold what the slice writes for later slices. */
  readonly characters: number;
  /** Of what it reads from earlier slices: the values that may travel in the state, because each of them is small. */
  readonly smallReads: SmallReads;
}

interface SmallReads {
  /** Whether the slice reads nothing else. */
  readonly areAll: boolean;
  readonly bytes: number;
}

/**
 * Calls `visit` with the size of every range of `order` from the boundary `from` to each later boundary, until it
 * returns false. Boundaries are ascending positions from 0 to `order.length`.
 */
export function sizeRanges(
  space: CutSpace,
  boundaries: readonly number[],
  from: number,
  visit: (to: number, size: RangeSize) => boolean,
): void {
  const { dataflow } = space;
  const { order } = dataflow;
  const { weights, memory } = tablesOf(space);
  const results = [...new Set(dataflow.model.graph.outputs.map(({ value }) => value))];
  const resultBytes = sumOf(results.map((value) => space.bytes[value]));
  const start = boundaries[from];
  const held = new HeldWeights(weights);
  const pool = new ArenaPool(memory.heirs);
  const run = new RunMemory(memory, usesFrom(memory, start), pool);
  const moved = new MovedTensors(space, results, start);
  let coreSeconds = 0;
  let position = start;
  for (let to = from + 1; to < boundaries.length; to++) {
    for (; position < boundaries[to]; position++) {
      const node = order[position];
      held.addNode(node);
      run.run(node);
      moved.addNode(position);
      coreSeconds += weights.work[node];
    }
    const isLast = position === order.length;
    if (isLast) {
      // The last slice computes the results that depend on constants alone, and gathers the others.
      for (const value of results) held.addValue(value);
      moved.gather();
      run.runRepeated(repeatedProducers(dataflow, results));
    }
    const size: RangeSize = {
      ...sizeOf(held, pool, run, {
        computedBytes: moved.computedBytes,
        coreSeconds: coreSeconds + held.repeatedSeconds,
      }),
      readBytes: moved.readBytes,
      // At its end, a slice writes what later slices need, and the last one the results.
      writeBytes: isLast ? resultBytes : moved.liveBytes,
      outputBytes: moved.liveBytes,
      requestBytes: moved.requestBytes,
      ...moved.gets,
      characters: moved.characters,
      smallReads: moved.smallReads,
    };
    if (!visit(to, size)) return;
  }
}

export function sizeOfRange(space: CutSpace, start: number, end: number): RangeSize {
  const sizes: RangeSize[] = [];
  sizeRanges(space, [start, end], 0, (_, size) => sizes.push(size) === 0);
  return sizes[0];
}

class MovedTensors {
  readBytes = 0;
  requestBytes = 0;
  computedBytes = 0;
  liveBytes = 0;
  private liveHeaders = 0;
  private smallBytes = 0;
  private readonly fromSlices = { tensors: 0, small: 0, bytes: 0, headers: 0 };
  private readonly fromRequest = { tensors: 0, bytes: 0, headers: 0 };
  private readonly seen: Uint8Array;
  private readonly isResult: Uint8Array;
  /** By position: bytes of the values whose last use it is, and of their headers. */
  private readonly endingAt: Float64Array;
  private readonly endingHeadersAt: Float64Array;
  private readonly headers: Float64Array;
  private readonly firstUsedAt: Int32Array;

  constructor(
    private readonly space: CutSpace,
    private readonly results: readonly ValueIndex[],
    private readonly start: number,
  ) {
    const { model, order } = space.dataflow;
    this.seen = new Uint8Array(model.graph.values.length);
    this.isResult = new Uint8Array(model.graph.values.length);
    for (const value of results) this.isResult[value] = 1;
    this.endingAt = new Float64Array(order.length);
    this.endingHeadersAt = new Float64Array(order.length);
    const { headers, firstUsedAt } = tablesOf(space);
    this.headers = headers;
    this.firstUsedAt = firstUsedAt;
  }

  get characters(): number {
    return stateCharacters(this.liveBytes + this.liveHeaders);
  }

  get smallReads(): SmallReads {
    const { tensors, small } = this.fromSlices;
    return { areAll: small === tensors && this.fromRequest.tensors === 0, bytes: this.smallBytes };
  }

  /**
   * As if all tensors were neighbors in the objects of one slice and of the request. So a slice of a chain has as many, and no slice
   * that reads the objects of several ones has fewer.
   */
  get gets(): SliceGets {
    const { fromSlices, fromRequest, start } = this;
    return {
      gets: fromSlices.tensors > 0 ? neighborGets(fromSlices.bytes, fromSlices.headers) : 0,
      requestGets:
        fromRequest.tensors > 0 || start === 0 ? neighborGets(fromRequest.bytes, fromRequest.headers) : 0,
    };
  }

  addNode(position: number): void {
    const { dataflow, bytes, lastUsedAt } = this.space;
    const node = dataflow.order[position];
    for (const value of dataflow.reads[node]) this.read(value);
    for (const output of dataflow.model.graph.nodes[node].outputs) {
      if (output < 0) continue;
      this.computedBytes += bytes[output];
      this.liveBytes += bytes[output];
      this.liveHeaders += this.headers[output];
      if (this.isResult[output] === 1) continue;
      const end = Math.max(position, lastUsedAt[output]);
      this.endingAt[end] += bytes[output];
      this.endingHeadersAt[end] += this.headers[output];
    }
    this.liveBytes -= this.endingAt[position];
    this.liveHeaders -= this.endingHeadersAt[position];
  }

  /** Reads the results that the last slice does not compute. */
  gather(): void {
    const { values } = this.space.dataflow.model.graph;
    for (const value of this.results) if (values[value].initializer === undefined) this.read(value);
  }

  private read(value: ValueIndex): void {
    if (this.seen[value] === 1 || !this.isOutside(value)) return;
    this.seen[value] = 1;
    const { bytes, producedAt } = this.space;
    this.readBytes += bytes[value];
    if (producedAt[value] < 0 && this.firstUsedAt[value] >= this.start) this.requestBytes += bytes[value];
    const from = producedAt[value] < 0 ? this.fromRequest : this.fromSlices;
    from.tensors++;
    from.bytes += bytes[value];
    from.headers += this.headers[value];
    const isSmall = stateCharacters(bytes[value] + this.headers[value]) <= MAX_STATE_TENSORS;
    if (from === this.fromRequest || !isSmall) return;
    this.fromSlices.small++;
    this.smallBytes += bytes[value];
  }

  private isOutside(value: ValueIndex): boolean {
    const at = this.space.producedAt[value];
    return at >= 0 ? at < this.start : this.space.dataflow.model.graph.values[value].input !== undefined;
  }
}
