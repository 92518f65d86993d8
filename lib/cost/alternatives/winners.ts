/** Which alternative is cheapest at which rate of requests. */
import type { Alternative, AlternativeId } from './alternative';

/** Rates of requests per hour that are compared: from one in four days to 2,800 a second. */
export const LEAST_RATE = 0.01;
export const GREATEST_RATE = 10_000_000;

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

interface Change {
  /** Undefined if all alternatives break a limit. */
  readonly id: AlternativeId | undefined;
  readonly fromPerHour: number;
}

type Priced = Pick<Alternative, 'id' | 'dollarsPerMonth'>;

/**
 * The rate at which the winner changes is found by halving, so it is exact. There is no winner at rates at which all
 * alternatives break a limit.
 */
export function winners(alternatives: readonly Priced[]): Winner[] {
  const steps = Math.round(Math.log10(GREATEST_RATE / LEAST_RATE) * RATES_PER_DECADE);
  const rates = Array.from({ length: steps + 1 }, (_, step) => rateAt(step, steps));
  const changes = [{ id: cheapestAt(alternatives, LEAST_RATE)?.id, fromPerHour: LEAST_RATE }];
  for (let step = 1; step <= steps; step++)
    changes.push(...changesBetween(alternatives, rates[step - 1], rates[step]));
  return changes.flatMap(({ id, fromPerHour }, index) => {
    const toPerHour = index + 1 < changes.length ? changes[index + 1].fromPerHour : GREATEST_RATE;
    return id === undefined ? [] : [{ id, fromPerHour, toPerHour }];
  });
}

function rateAt(step: number, steps: number): number {
  return step === steps ? GREATEST_RATE : LEAST_RATE * 10 ** (step / RATES_PER_DECADE);
}

/** Undefined if all break a limit. Of equally cheap ones, the first. */
export function cheapestAt<T extends Priced>(
  alternatives: readonly T[],
  requestsPerHour: number,
): T | undefined {
  let [cheapest, least] = [undefined as T | undefined, Infinity];
  for (const own of alternatives) {
    const dollars = own.dollarsPerMonth(requestsPerHour);
    if (dollars < least) [cheapest, least] = [own, dollars];
  }
  return cheapest;
}

function changesBetween(alternatives: readonly Priced[], from: number, to: number): Change[] {
  const before = cheapestAt(alternatives, from)?.id;
  const after = cheapestAt(alternatives, to)?.id;
  if (before === after) return [];
  if (to / from - 1 < PRECISION) return [{ id: after, fromPerHour: to }];
  const middle = Math.sqrt(from * to);
  return [...changesBetween(alternatives, from, middle), ...changesBetween(alternatives, middle, to)];
}
