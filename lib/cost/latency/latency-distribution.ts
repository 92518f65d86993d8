/**
 * Discrete distributions of delays, in milliseconds. Sums are convolutions, so that the p50 and p95 of a run are exact for
 * the given delays, which are independent of each other.
 */
import type { Pairs } from '../constants/constant';

/** Distance between the values of a distribution, in milliseconds. A search convolves hundreds of them. */
export const GRID_MS = 2;

/** Mass at each end of a sum that may move inward to the end of what is kept. */
const NEGLIGIBLE = 1e-9;

/** Rounding error of a position on the grid, and of a sum of probabilities. */
const ROUNDING = 1e-9;

/**
 * A distribution without the place where it begins. Plans share these, so each sum of two of them is computed once:
 * a planner prices thousands of plans, whose delays are the same ones in the same order.
 */
class Shape {
  /** Probability that a delay is at most `index * GRID_MS` above the smallest one. */
  private sums?: Float64Array;
  private average?: number;
  private readonly sumsWith = new WeakMap<Shape, Cut>();

  /** @param mass by distance from the smallest delay, in steps of `GRID_MS`: the probability; one or more, with a sum of 1 */
  constructor(readonly mass: Float64Array) {}

  /** Mean distance from the smallest delay. */
  get mean(): number {
    this.average ??= this.mass.reduce((sum, mass, index) => sum + mass * index, 0) * GRID_MS;
    return this.average;
  }

  get cumulative(): Float64Array {
    if (this.sums !== undefined) return this.sums;
    let sum = 0;
    this.sums = this.mass.map((mass) => (sum += mass));
    return this.sums;
  }

  plus(other: Shape): Cut {
    const known = this.sumsWith.get(other) ?? cutEnds(convolved(this.mass, other.mass));
    this.sumsWith.set(other, known);
    return known;
  }
}

/** What is left of a distribution without its negligible ends. */
interface Cut {
  /** Steps of the grid that were cut at the start. */
  readonly first: number;
  readonly shape: Shape;
}

/** Cuts both ends and adds what was cut to what is then the end, so that the sum stays 1. */
function cutEnds(mass: Float64Array): Cut {
  let [first, last] = [0, mass.length - 1];
  let [below, above] = [0, 0];
  while (first < last && below + mass[first] < NEGLIGIBLE) below += mass[first++];
  while (last > first && above + mass[last] < NEGLIGIBLE) above += mass[last--];
  const kept = mass.slice(first, last + 1);
  kept[0] += below;
  kept[kept.length - 1] += above;
  return { first, shape: new Shape(kept) };
}

function convolved(one: Float64Array, other: Float64Array): Float64Array {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  const mass = new Float64Array(short.length + long.length - 1);
  for (let i = 0; i < short.length; i++) {
    const weight = short[i];
    if (weight === 0) continue;
    for (let j = 0; j < long.length; j++) mass[i + j] += weight * long[j];
  }
  return mass;
}

const CONSTANT = new Shape(Float64Array.of(1));

export class LatencyDistribution {
  /** By exponent: the distribution of the sum of so many independent delays. */
  private readonly powers: LatencyDistribution[] = [];

  /** @param least the smallest delay, in milliseconds */
  private constructor(
    readonly least: number,
    private readonly shape: Shape,
  ) {}

  static constant(ms: number): LatencyDistribution {
    return new LatencyDistribution(ms, CONSTANT);
  }

  /**
   * Linear between the published percentiles. All that lies below the first percentile has its value, and all that lies above
   * the last has that value. A single percentile makes a constant.
   *
   * @param percentiles pairs of a percentage and a delay in milliseconds
   */
  static fromPercentiles(percentiles: Pairs): LatencyDistribution {
    const least = percentiles[0][1];
    const grid = new Grid(least, percentiles[percentiles.length - 1][1]);
    let [percent, ms] = [0, least];
    for (const [nextPercent, nextMs] of [...percentiles, [100, percentiles[percentiles.length - 1][1]]]) {
      grid.addUniform(ms, nextMs, (nextPercent - percent) / 100);
      [percent, ms] = [nextPercent, nextMs];
    }
    return LatencyDistribution.trimmed(grid);
  }

  private static trimmed({ least, mass }: Pick<Grid, 'least' | 'mass'>): LatencyDistribution {
    const { first, shape } = cutEnds(mass);
    return new LatencyDistribution(least + first * GRID_MS, shape);
  }

  shift(ms: number): LatencyDistribution {
    return new LatencyDistribution(this.least + ms, this.shape);
  }

  plus(other: LatencyDistribution): LatencyDistribution {
    const { first, shape } = this.shape.plus(other.shape);
    return new LatencyDistribution(this.least + other.least + first * GRID_MS, shape);
  }

  /** The sum of so many independent delays like this one. Powers are kept. */
  times(count: number): LatencyDistribution {
    if (this.powers.length === 0) this.powers.push(LatencyDistribution.constant(0), this);
    while (this.powers.length <= count) this.powers.push(this.powers[this.powers.length - 1].plus(this));
    return this.powers[count];
  }

  /** The longer one of this delay and an independent one. */
  max(other: LatencyDistribution): LatencyDistribution {
    if (this.greatest <= other.least) return other;
    if (other.greatest <= this.least) return this;
    const grid = new Grid(Math.max(this.least, other.least), Math.max(this.greatest, other.greatest));
    const [sums, otherSums] = [this.shape.cumulative, other.shape.cumulative];
    let [index, otherIndex, before] = [0, 0, 0];
    while (index < sums.length || otherIndex < otherSums.length) {
      const next = index < sums.length ? this.least + index * GRID_MS : Infinity;
      const otherNext = otherIndex < otherSums.length ? other.least + otherIndex * GRID_MS : Infinity;
      const value = Math.min(next, otherNext);
      if (next <= value + ROUNDING) index++;
      if (otherNext <= value + ROUNDING) otherIndex++;
      // Values of one distribution alone may lie below all of the other.
      if (index === 0 || otherIndex === 0) continue;
      const share = sums[index - 1] * otherSums[otherIndex - 1];
      if (share > before) grid.add(value, share - before);
      before = Math.max(before, share);
    }
    return LatencyDistribution.trimmed(grid);
  }

  /** Either this delay or, with a probability of `share`, the other one. */
  mixedWith(other: LatencyDistribution, share: number): LatencyDistribution {
    if (share <= 0) return this;
    if (share >= 1) return other;
    const grid = new Grid(Math.min(this.least, other.least), Math.max(this.greatest, other.greatest));
    grid.addAll(this.least, this.shape.mass, 1 - share);
    grid.addAll(other.least, other.shape.mass, share);
    return LatencyDistribution.trimmed(grid);
  }

  get greatest(): number {
    return this.least + (this.shape.mass.length - 1) * GRID_MS;
  }

  get mean(): number {
    return this.least + this.shape.mean;
  }

  shareWithin(ms: number): number {
    const index = Math.floor((ms - this.least) / GRID_MS + ROUNDING);
    if (index < 0) return 0;
    const sums = this.shape.cumulative;
    return sums[Math.min(index, sums.length - 1)];
  }

  /** The smallest delay that a share of `share` does not exceed. @param share above 0, at most 1 */
  quantile(share: number): number {
    const sums = this.shape.cumulative;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] >= share - ROUNDING) high = middle;
      else low = middle + 1;
    }
    return this.least + low * GRID_MS;
  }
}

/** Collects mass at delays between the points of a grid, so that the mean stays exact. */
class Grid {
  readonly mass: Float64Array;

  constructor(
    readonly least: number,
    greatest: number,
  ) {
    this.mass = new Float64Array(Math.ceil((greatest - least) / GRID_MS) + 2);
  }

  add(ms: number, mass: number): void {
    const position = Math.max(0, (ms - this.least) / GRID_MS);
    const index = Math.floor(position);
    this.mass[index] += mass * (1 - (position - index));
    this.mass[index + 1] += mass * (position - index);
  }

  /** @param mass at `ms` and each step after it */
  addAll(ms: number, mass: Float64Array, weight: number): void {
    const position = Math.max(0, (ms - this.least) / GRID_MS);
    const first = Math.floor(position);
    const [here, after] = [weight * (1 - (position - first)), weight * (position - first)];
    for (let index = 0; index < mass.length; index++) {
      this.mass[first + index] += mass[index] * here;
      this.mass[first + index + 1] += mass[index] * after;
    }
  }

  addUniform(from: number, to: number, mass: number): void {
    if (to <= from) {
      this.add(from, mass);
      return;
    }
    let start = from;
    while (start < to) {
      const next = this.least + (Math.floor((start - this.least) / GRID_MS + ROUNDING) + 1) * GRID_MS;
      const end = Math.min(to, next);
      this.add((start + end) / 2, (mass * (end - start)) / (to - from));
      start = end;
    }
  }
}

/**
 * Linear between the percentiles. All that lies below the first percentile has its value, and all that lies above the last has
 * that value, as in `LatencyDistribution.fromPercentiles`.
 *
 * @param percentiles pairs of a percentage and milliseconds; one or more, with rising percentages
 * @param percent from 0 to 100
 */
export function atPercent(percentiles: Pairs, percent: number): number {
  const above = percentiles.findIndex(([own]) => own >= percent);
  if (above < 0) return percentiles[percentiles.length - 1][1];
  if (above === 0) return percentiles[0][1];
  const [[low, lower], [high, upper]] = [percentiles[above - 1], percentiles[above]];
  return lower + ((upper - lower) * (percent - low)) / (high - low);
}
