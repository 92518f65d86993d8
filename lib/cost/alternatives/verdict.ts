/** Says in sentences whether to slice, and what else would be cheaper at which rate of requests. */
import type { Temperature } from '../chain';
import type { Alternative, Offer } from './alternative';
import { type Winner, GREATEST_RATE, LEAST_RATE, cheapestAt } from './winners';
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

/** The requests for which a verdict is given. */
export interface Requests {
  readonly requestsPerHour: number;
  readonly isRateAssumed: boolean;
  /** The runs by which alternatives are compared. */
  readonly temperature: Temperature;
  /** The share of these runs that is cold. */
  readonly coldShare: number;
}

export function verdictOf(
  alternatives: readonly Alternative[],
  winners: readonly Winner[],
  requests: Requests,
): Verdict {
  const { choice, sentence } = choiceOf(alternatives, requests);
  const cheapest = cheapestAt(alternatives, requests.requestsPerHour);
  return {
    ...(choice && { choice }),
    sentences: [
      sentence,
      ...(cheapest === undefined ? [] : [cheapestSentence(cheapest, requests)]),
      ...rateRanges(winners).map((range) => rateSentence(alternatives, range)),
    ],
  };
}

/** Both are paid by run, and compared by the dollars of a month at the rate of requests, as all alternatives are. */
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
      ? { choice: 'one-function', sentence: `${oneFunction(entire)}, ${versus(entire, sliced, requests)}` }
      : { choice: 'slices', sentence: `${name}: ${versus(sliced, entire, requests)}` };
  }
  if (entire !== undefined) {
    const figures = `${inDollars(entire.dollarsPerMonth)} a month ${atRate(requests)}, warm p50 ${medianOf(entire, 'warm')}, cold p50 ${medianOf(entire, 'cold')}`;
    const why = slices === undefined ? '' : `; ${name} ${areOrIs(name)} out: ${slices.breaks.join('; ')}`;
    return { choice: 'one-function', sentence: `${oneFunction(entire)}, ${figures}${why}` };
  }
  const why = whole === undefined ? '' : `: ${whole.breaks.join('; ')}`;
  if (sliced !== undefined) return { choice: 'slices', sentence: `${name}${why}` };
  const fault = slices === undefined ? 'no plan meets the limits' : slices.breaks.join('; ');
  return { sentence: `neither slices (${fault}) nor one function${why}` };
}

function oneFunction({ size }: Offer): string {
  return `one function would do: ${size}`;
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
  return `at ${inRate(requestsPerHour)}, ${name} ${areOrIs(name)} cheapest (${size}): ${inDollars(dollarsPerMonth)} a month${guessOf([cheapest])}`;
}

/** What a reader must not take for known about the alternatives that a sentence recommends. */
function guessOf(alternatives: readonly Alternative[]): string {
  return alternatives.map(({ guess }) => (guess === undefined ? '' : `; ${guess}`)).join('');
}

/** A plan of several slices is the only alternative whose name is a plural. */
function areOrIs(name: string): string {
  return /^\d+ slices/.test(name) ? 'are' : 'is';
}

/** A range of rates, and the alternatives that are the cheapest in parts of it. */
interface RateRange extends Omit<Winner, 'id'> {
  readonly ids: readonly Alternative['id'][];
}

/** From the rate at which a winner first loses to the rate from which it never wins again, winners are in one range. */
function rateRanges(winners: readonly Winner[]): RateRange[] {
  const ranges: RateRange[] = [];
  for (let start = 0; start < winners.length;) {
    const end = endOfTurns(winners, start);
    const [first, last] = [winners[start], winners[end]];
    ranges.push({ ...first, ids: [first.id] });
    if (end > start) {
      const ids = [...new Set(winners.slice(start + 1, end).map(({ id }) => id))];
      ranges.push({ ids, fromPerHour: first.toPerHour, toPerHour: last.fromPerHour });
      ranges.push({ ...last, ids: [last.id] });
    }
    start = end + 1;
  }
  return ranges;
}

/** The last of the winners from `start` on that take turns with each other. */
function endOfTurns(winners: readonly Winner[], start: number): number {
  let end = start;
  for (let index = start; index <= end; index++)
    end = Math.max(
      end,
      winners.findLastIndex(({ id }) => id === winners[index].id),
    );
  return end;
}

function rateSentence(alternatives: readonly Alternative[], { ids, ...rates }: RateRange): string {
  const named = ids.flatMap((id) => alternatives.find((own) => own.id === id) ?? []);
  const names = named.map(({ name }) => name);
  const text =
    names.length === 1
      ? `${names[0]} ${areOrIs(names[0])} cheapest ${inRange(rates)}`
      : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]} take turns as the cheapest ${inRange(rates)}, because instances come in whole numbers`;
  return `${text}${guessOf(named)}`;
}

function inRange({ fromPerHour, toPerHour }: Omit<Winner, 'id'>): string {
  const [isFirst, isLast] = [fromPerHour <= LEAST_RATE, toPerHour >= GREATEST_RATE];
  if (isFirst) return isLast ? 'at every rate' : `below ${inRate(toPerHour)}`;
  if (isLast) return `from ${inRate(fromPerHour)} on`;
  return `from ${inCount(fromPerHour)} to ${inRate(toPerHour)}`;
}
