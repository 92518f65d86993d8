/** Says in sentences whether to slice, and finds what is cheapest at which rate of requests. */
import type { Temperature } from '../chain';
import type { Alternative, Offer, AlternativeId } from './alternative';
import { inCount, inDollars, inMs, inPercent, inRate } from './wording';

export interface Verdict {
  /**
   * Whether the slices or one function should run the model: the cheaper one of the two that breaks no limit. Undefined if
   * both break one.
   */
  readonly choice?: 'slices' | 'one-function';
  /** The most important first, without their full stops. */
  readonly sentences: readonly string[];
}

export interface Requests {
  readonly requestsPerHour: number;
  readonly isRateAssumed: boolean;
  readonly temperature: Temperature;
  /** The share of these runs that is cold. */
  readonly coldShare: number;
}

export function verdictOf(
  alternatives: readonly Alternative[],
  ranges: readonly Winner[],
  requests: Requests,
): Verdict {
  const { choice, sentence } = choiceOf(alternatives, requests);
  const cheapest = cheapestAt(alternatives, requests.requestsPerHour);
  return {
    ...(choice && { choice }),
    sentences: [
      sentence,
      ...(cheapest ? [cheapestSentence(cheapest, requests)] : []),
      ...(ranges.length > 0 ? [rangesSentence(alternatives, ranges)] : []),
    ],
  };
}

function choiceOf(
  alternatives: readonly Alternative[],
  requests: Requests,
): { readonly choice?: 'slices' | 'one-function'; readonly sentence: string } {
  const offerOf = (id: Alternative['id']): Offer | undefined =>
    alternatives.find((own) => own.id === id)?.at(requests.requestsPerHour);
  const name = alternatives.find(({ id }) => id === 'slices')?.name ?? '';
  const [slices, whole] = [offerOf('slices'), offerOf('one-function')];
  const [sliced, entire] = [slices, whole].map((own) => (own?.breaks.length === 0 ? own : undefined));
  if (sliced !== undefined && entire !== undefined) {
    const isWhole = entire.dollarsPerMonth <= sliced.dollarsPerMonth;
    return isWhole
      ? {
          choice: 'one-function',
          sentence: `one function would do: ${entire.size}, ${versus(entire, sliced, requests)}`,
        }
      : { choice: 'slices', sentence: `${name}: ${versus(sliced, entire, requests)}` };
  }
  if (entire !== undefined) {
    const figures = `${inDollars(entire.dollarsPerMonth)} a month ${atRate(requests)}, warm p50 ${medianOf(entire, 'warm')}, cold p50 ${medianOf(entire, 'cold')}`;
    const why = slices === undefined ? '' : `; ${name} ${areOrIs(name)} out: ${slices.breaks.join('; ')}`;
    return { choice: 'one-function', sentence: `one function would do: ${entire.size}, ${figures}${why}` };
  }
  const why = whole === undefined ? '' : `: ${whole.breaks.join('; ')}`;
  if (sliced !== undefined) return { choice: 'slices', sentence: `${name}${why}` };
  const fault = slices === undefined ? 'no plan meets the limits' : slices.breaks.join('; ');
  return { sentence: `neither slices (${fault}) nor one function${why}` };
}

function versus(one: Offer, other: Offer, requests: Requests): string {
  const median = (temperature: 'warm' | 'cold'): string =>
    `${temperature} p50 ${medianOf(one, temperature)} instead of ${medianOf(other, temperature)}`;
  return `${inDollars(one.dollarsPerMonth)} instead of ${inDollars(other.dollarsPerMonth)} a month ${atRate(requests)}, ${median('warm')}, ${median('cold')}`;
}

function medianOf(offer: Offer, temperature: 'warm' | 'cold'): string {
  return inMs(offer[temperature].time.quantile(0.5));
}

/** Such as `at 10 requests an hour (assumed; 37 % of the runs cold)`. */
function atRate({ requestsPerHour, isRateAssumed, temperature, coldShare }: Requests): string {
  const runs =
    temperature === 'mixed' ? `${inPercent(coldShare)} of the runs cold` : `all runs ${temperature}`;
  return `at ${inRate(requestsPerHour)} (${isRateAssumed ? 'assumed; ' : ''}${runs})`;
}

function cheapestSentence(cheapest: Alternative, { requestsPerHour }: Requests): string {
  const { size, dollarsPerMonth } = cheapest.at(requestsPerHour);
  const { name } = cheapest;
  return `at ${inRate(requestsPerHour)}, ${name} ${areOrIs(name)} cheapest (${size}): ${inDollars(dollarsPerMonth)} a month`;
}

/** Services that are always on become dearer in steps, so that the cheapest one may change often. */
const MOST_RANGES = 5;

function rangesSentence(alternatives: readonly Alternative[], ranges: readonly Winner[]): string {
  const named = ranges.map(({ id, fromPerHour, toPerHour }) => {
    const name = alternatives.find((own) => own.id === id)?.name ?? id;
    const end = toPerHour < GREATEST_RATE ? `to ${inCount(toPerHour)}` : 'on';
    return `${name} from ${inCount(fromPerHour)} ${end}`;
  });
  const more = named.length - MOST_RANGES;
  if (more > 0) named.splice(MOST_RANGES - 1, more, `${more} more ranges`);
  return `the cheapest by requests an hour: ${named.join(', ')}`;
}

/** A plan of several slices is the only alternative whose name is a plural. */
function areOrIs(name: string): string {
  return /^\d+ slices/.test(name) ? 'are' : 'is';
}

/** Rates of requests per hour that are compared: from one in four days to 2,800 a second. */
export const LEAST_RATE = 0.01;
export const GREATEST_RATE = 10_000_000;

const RATES_PER_DECADE = 100;

const PRECISION = 1e-9;

/** A range of rates, from `fromPerHour` up to but excluding `toPerHour`, in which one alternative is cheapest. */
export interface Winner {
  readonly id: AlternativeId;
  readonly fromPerHour: number;
  readonly toPerHour: number;
}

interface Change {
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
  const rates = Array.from({ length: steps + 1 }, (_, step) =>
    step === steps ? GREATEST_RATE : LEAST_RATE * 10 ** (step / RATES_PER_DECADE),
  );
  const cheapest = rates.map((fromPerHour): Change => changeAt(alternatives, fromPerHour));
  const changes = cheapest.flatMap((own, step) =>
    step === 0 ? [own] : changesBetween(alternatives, cheapest[step - 1], own),
  );
  return changes.flatMap(({ id, fromPerHour }, index) => {
    const toPerHour = index + 1 < changes.length ? changes[index + 1].fromPerHour : GREATEST_RATE;
    return id === undefined ? [] : [{ id, fromPerHour, toPerHour }];
  });
}

/** Undefined if all break a limit. Of equally cheap ones, the first. */
function cheapestAt<T extends Priced>(alternatives: readonly T[], requestsPerHour: number): T | undefined {
  let [cheapest, least] = [undefined as T | undefined, Infinity];
  for (const own of alternatives) {
    const dollars = own.dollarsPerMonth(requestsPerHour);
    if (dollars < least) [cheapest, least] = [own, dollars];
  }
  return cheapest;
}

function changeAt(alternatives: readonly Priced[], fromPerHour: number): Change {
  return { id: cheapestAt(alternatives, fromPerHour)?.id, fromPerHour };
}

function changesBetween(alternatives: readonly Priced[], before: Change, after: Change): Change[] {
  if (before.id === after.id) return [];
  if (after.fromPerHour / before.fromPerHour - 1 < PRECISION) return [after];
  const middle = changeAt(alternatives, Math.sqrt(before.fromPerHour * after.fromPerHour));
  return [...changesBetween(alternatives, before, middle), ...changesBetween(alternatives, middle, after)];
}
