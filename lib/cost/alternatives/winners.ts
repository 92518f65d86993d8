/** Which alternative is cheapest at which rate of requests. */
import type { Alternative, AlternativeId } from './alternative';

/** Rates of requests per hour that are compared: from one in four days to 280 a second. */
export const LEAST_RATE = 0.01;
export const GREATEST_RATE = 1_000_000;

/** Rates for each power of ten at which the search for changes starts. */
const RATES_PER_DECADE = 100;

/** Relative distance at which the search for the rate of a change ends. */
const PRECISION = 1e-9;

/** A range of rates, from `fromPerHour` up to but excluding `toPerHour`, in which one alternative is cheapest. */
export interface Winner {
  readonly id: AlternativeId;
  readonly fromPerHour: number;
  readonly toPerHour: number;
}

/**
 * The rate at which the winner changes is found by halving, so it is exact.
 *
 * @param alternatives those that break no limit
 */
export function winners(alternatives: readonly Alternative[]): Winner[] {
  if (alternatives.length === 0) return [];
  const steps = Math.round(Math.log10(GREATEST_RATE / LEAST_RATE) * RATES_PER_DECADE);
  const rates = Array.from({ length: steps + 1 }, (_, step) => LEAST_RATE * 10 ** (step / RATES_PER_DECADE));
  const changes = [{ id: cheapestAt(alternatives, LEAST_RATE).id, fromPerHour: LEAST_RATE }];
  for (let step = 1; step <= steps; step++)
    changes.push(...changesBetween(alternatives, rates[step - 1], rates[step]));
  return changes.map((change, index) => ({
    ...change,
    toPerHour: index + 1 < changes.length ? changes[index + 1].fromPerHour : GREATEST_RATE,
  }));
}

/** Of equally cheap ones, the first. */
export function cheapestAt<T extends Alternative>(alternatives: readonly T[], requestsPerHour: number): T {
  return alternatives.reduce((best, own) =>
    own.dollarsPerMonth(requestsPerHour) < best.dollarsPerMonth(requestsPerHour) ? own : best,
  );
}

function changesBetween(
  alternatives: readonly Alternative[],
  from: number,
  to: number,
): { id: AlternativeId; fromPerHour: number }[] {
  const before = cheapestAt(alternatives, from).id;
  const after = cheapestAt(alternatives, to).id;
  if (before === after) return [];
  if (to / from - 1 < PRECISION) return [{ id: after, fromPerHour: to }];
  const middle = Math.sqrt(from * to);
  return [...changesBetween(alternatives, from, middle), ...changesBetween(alternatives, middle, to)];
}
