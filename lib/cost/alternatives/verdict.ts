/** Says in sentences whether to slice, and what is cheapest at the rate of requests. */
import { type Alternative, type Offer, GREATEST_RATE } from './alternative';
import { QUANTILES } from '../chain';
import { type Requests, atRate, inDollars, inMs, inRate } from './wording';

export interface Verdict {
  /** One function if it is cheaper and about as fast, or else slices; of these, the one that breaks no limit. Undefined if both break one. */
  readonly choice?: Choice;
  /** The most important first, without their full stops. */
  readonly sentences: readonly string[];
  /** One of the sentences: which service is cheapest, and at which rates another one is. Undefined if all break a limit. */
  readonly cheapest?: string;
}

/** @param alternatives the slices, one function, and other services */
export function verdictOf(alternatives: readonly Alternative[], requests: Requests): Verdict {
  const { choice, sentence } = choiceOf(alternatives, requests);
  const cheapest = cheapestSentence(alternatives, requests);
  return {
    ...(choice && { choice }),
    sentences: [sentence, ...(cheapest === undefined ? [] : [cheapest])],
    ...(cheapest !== undefined && { cheapest }),
  };
}

type Choice = 'slices' | 'one-function';

function choiceOf(
  alternatives: readonly Alternative[],
  requests: Requests,
): { readonly choice?: Choice; readonly sentence: string } {
  const [slices, whole] = alternatives.map((own): NamedOffer => {
    return { name: own.id === 'slices' ? own.name : 'one function', ...own.at(requests.perHour) };
  });
  const [sliced, entire] = [slices, whole].map((own) => (own.breaks.length === 0 ? own : undefined));
  if (sliced !== undefined && entire !== undefined) {
    const isWhole = entire.dollarsPerMonth <= sliced.dollarsPerMonth;
    if (!isWhole) return { choice: 'slices', sentence: bothSides(sliced, entire, requests) };
    return p95(entire, requests) <= AS_FAST * p95(sliced, requests)
      ? { choice: 'one-function', sentence: bothSides(entire, sliced, requests) }
      : { choice: 'slices', sentence: fasterSlices(sliced, entire, requests) };
  }
  if (entire !== undefined) {
    const figures = `${inDollars(entire.dollarsPerMonth)} a month ${atRate(requests)}, p50 ${medianOf(entire, 'warm')} warm and ${medianOf(entire, 'cold')} cold`;
    const out = `${slices.name} ${areOrIs(slices.name)} out: ${slices.breaks.join('; ')}`;
    return { choice: 'one-function', sentence: `one function would do: ${entire.size}, ${figures}; ${out}` };
  }
  const why = whole.breaks.join('; ');
  if (sliced !== undefined) return { choice: 'slices', sentence: `${sliced.name}: ${why}` };
  return { sentence: `neither slices (${slices.breaks.join('; ')}) nor one function: ${why}` };
}

type NamedOffer = Offer & { readonly name: string };

/** Modeled times are not better known: see `processor.computing` in `lib/cost/constants/environment.json`. */
const AS_FAST = 1.25;

/** Of the runs at the rate: as many as are cold then decide. */
function p95({ warm, cold }: Offer, { coldShare }: Requests): number {
  return warm.time.mixedWith(cold.time, coldShare).quantile(QUANTILES.p95);
}

function fasterSlices(sliced: NamedOffer, entire: NamedOffer, requests: Requests): string {
  const [fast, slow] = [sliced, entire].map((own) => inMs(p95(own, requests)));
  const [more, less] = [sliced, entire].map((own) => inDollars(own.dollarsPerMonth));
  const is = areOrIs(sliced.name);
  return `${sized(sliced)} ${is} faster than ${sized(entire)}: p95 ${fast} instead of ${slow} ${atRate(requests)}. But ${entire.name} is cheaper: ${less} instead of ${more} a month`;
}

/** A sentence about the price, and one about the times. */
function bothSides(cheaper: NamedOffer, other: NamedOffer, requests: Requests): string {
  const isFaster = (temperature: 'warm' | 'cold'): boolean =>
    p50(cheaper, temperature) <= p50(other, temperature);
  const [faster, slower] = [true, false].map((is) =>
    (['warm', 'cold'] as const).filter((temperature) => isFaster(temperature) === is),
  );
  const price = `${inDollars(cheaper.dollarsPerMonth)} instead of ${inDollars(other.dollarsPerMonth)} a month`;
  const ahead = `${areOrIs(cheaper.name) === 'are' ? 'They are' : 'It is'} also faster ${times(cheaper, other, faster)}`;
  const behind = `${other.name} ${areOrIs(other.name)} faster ${times(other, cheaper, slower)}`;
  const speed =
    slower.length === 0 ? ahead : faster.length === 0 ? `But ${behind}` : `${ahead}, but ${behind}`;
  return `${sized(cheaper)} ${areOrIs(cheaper.name)} cheaper than ${sized(other)}: ${price} ${atRate(requests)}. ${speed}`;
}

function sized({ name, size }: NamedOffer): string {
  return `${name} (${size})`;
}

function times(one: Offer, other: Offer, temperatures: readonly ('warm' | 'cold')[]): string {
  return temperatures
    .map((each) => `${each}, p50 ${medianOf(one, each)} instead of ${medianOf(other, each)}`)
    .join(', and ');
}

function p50(offer: Offer, temperature: 'warm' | 'cold'): number {
  return offer[temperature].time.quantile(0.5);
}

function medianOf(offer: Offer, temperature: 'warm' | 'cold'): string {
  return inMs(p50(offer, temperature));
}

function cheapestSentence(alternatives: readonly Alternative[], { perHour }: Requests): string | undefined {
  const cheapest = cheapestAt(alternatives, perHour);
  if (cheapest === undefined) return undefined;
  const { name, size, dollarsPerMonth } = cheapest;
  const [higher, lower] = [RATES.filter((rate) => rate > perHour), RATES.filter((rate) => rate < perHour)];
  const changes = [
    ...changeOf(alternatives, perHour, higher).map((rate) => ['from', rate] as const),
    ...changeOf(alternatives, perHour, lower.reverse()).map((rate) => ['below', rate] as const),
  ].map(([side, rate]) => {
    const other = cheapestAt(alternatives, rate)?.name ?? 'none';
    return `; ${side} about ${inRate(Number(rate.toPrecision(2)))}, ${other} ${areOrIs(other)}`;
  });
  return `at ${inRate(perHour)}, ${name} ${areOrIs(name)} cheapest (${size}): ${inDollars(dollarsPerMonth)} a month${changes.join('')}`;
}

/** Of those that keep all limits, and that rest on no guess. Of equally cheap ones, the first. */
function cheapestAt(alternatives: readonly Alternative[], perHour: number): NamedOffer | undefined {
  const usable = alternatives
    .filter(({ guess }) => guess === undefined)
    .map((own) => ({ name: own.name, ...own.at(perHour) }))
    .filter(({ breaks }) => breaks.length === 0)
    .sort((a, b) => a.dollarsPerMonth - b.dollarsPerMonth);
  return usable.at(0);
}

/** Compared rates, in requests an hour. All verdicts use the same: with whole instances, two services change places several times. */
const RATES = Array.from({ length: Math.floor(Math.log2(GREATEST_RATE)) + 1 }, (_, power) => 2 ** power);

/** Of a factor of two, they leave less than 0.1 %. */
const BISECTIONS = 10;

/** The first rate at which another service is cheapest, if there is one. @param rates from the one that is next to `perHour` on */
function changeOf(alternatives: readonly Alternative[], perHour: number, rates: readonly number[]): number[] {
  const own = cheapestAt(alternatives, perHour)?.name;
  const isSame = (rate: number): boolean => cheapestAt(alternatives, rate)?.name === own;
  const index = rates.findIndex((rate) => !isSame(rate));
  if (index < 0) return [];
  let [same, other] = [index === 0 ? perHour : rates[index - 1], rates[index]];
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = Math.sqrt(same * other);
    if (isSame(middle)) same = middle;
    else other = middle;
  }
  return [other];
}

/** A plan of several slices is the only alternative whose name is a plural. */
function areOrIs(name: string): string {
  return /^\d+ slices/.test(name) ? 'are' : 'is';
}
