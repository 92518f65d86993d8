/** Says in sentences whether to slice, and what is cheapest at the rate of requests. */
import type { Temperature } from '../chain';
import type { Alternative, Offer } from './alternative';
import { inDollars, inMs, inPercent, inRate } from './wording';

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

export function verdictOf(alternatives: readonly Alternative[], requests: Requests): Verdict {
  const { choice, sentence } = choiceOf(alternatives, requests);
  return {
    ...(choice && { choice }),
    sentences: [sentence, ...cheapestSentence(alternatives, requests)],
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

/** None if all break a limit. Of equally cheap ones, the first. */
function cheapestSentence(alternatives: readonly Alternative[], { requestsPerHour }: Requests): string[] {
  const usable = alternatives
    .map((own) => ({ name: own.name, ...own.at(requestsPerHour) }))
    .filter(({ breaks }) => breaks.length === 0);
  if (usable.length === 0) return [];
  const { name, size, dollarsPerMonth } = usable.reduce((a, b) =>
    b.dollarsPerMonth < a.dollarsPerMonth ? b : a,
  );
  const month = `${inDollars(dollarsPerMonth)} a month`;
  return [`at ${inRate(requestsPerHour)}, ${name} ${areOrIs(name)} cheapest (${size}): ${month}`];
}

/** A plan of several slices is the only alternative whose name is a plural. */
function areOrIs(name: string): string {
  return /^\d+ slices/.test(name) ? 'are' : 'is';
}
