/** Says in sentences whether to slice, and what is cheapest at the rate of requests. */
import { type Alternative, type Offer, GREATEST_RATE } from './alternative';
import { type Requests, atRate, inDollars, inMs, inRate } from './wording';

export interface Verdict {
  /** The cheaper one of the two that breaks no limit. Undefined if both break one. */
  readonly choice?: Choice;
  /** The most important first, without their full stops. */
  readonly sentences: readonly string[];
  /** One of the sentences: which service is cheapest, and at which rates another one is. Undefined if all break a limit. */
  readonly cheapest?: string;
}

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
  const offerOf = (id: Choice): NamedOffer | undefined => {
    const own = alternatives.find((each) => each.id === id);
    return own && { name: id === 'slices' ? own.name : 'one function', ...own.at(requests.perHour) };
  };
  const [slices, whole] = [offerOf('slices'), offerOf('one-function')];
  const [sliced, entire] = [slices, whole].map((own) => (own?.breaks.length === 0 ? own : undefined));
  if (sliced !== undefined && entire !== undefined) {
    const isWhole = entire.dollarsPerMonth <= sliced.dollarsPerMonth;
    return isWhole
      ? { choice: 'one-function', sentence: bothSides(entire, sliced, requests) }
      : { choice: 'slices', sentence: bothSides(sliced, entire, requests) };
  }
  if (entire !== undefined) {
    const figures = `${inDollars(entire.dollarsPerMonth)} a month ${atRate(requests)}, p50 ${medianOf(entire, 'warm')} warm and ${medianOf(entire, 'cold')} cold`;
    const why =
      slices === undefined ? '' : `; ${slices.name} ${areOrIs(slices.name)} out: ${slices.breaks.join('; ')}`;
    return { choice: 'one-function', sentence: `one function would do: ${entire.size}, ${figures}${why}` };
  }
  const why = whole === undefined ? '' : `: ${whole.breaks.join('; ')}`;
  if (sliced !== undefined) return { choice: 'slices', sentence: `${sliced.name}${why}` };
  const fault = slices === undefined ? 'no plan meets the limits' : slices.breaks.join('; ');
  return { sentence: `neither slices (${fault}) nor one function${why}` };
}

type NamedOffer = Offer & { readonly name: string };

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
  const changes = [
    ['from', nextRate(alternatives, perHour, Math.max(GREATEST_RATE, perHour))],
    ['below', nextRate(alternatives, perHour, Math.min(LEAST_RATE, perHour))],
  ] as const;
  const others = changes.flatMap(([side, rate]) => {
    if (rate === undefined) return [];
    const other = cheapestAt(alternatives, rate);
    return other ? [`; ${side} about ${inRate(twoDigits(rate))}, ${other.name} ${areOrIs(other.name)}`] : [];
  });
  return `at ${inRate(perHour)}, ${name} ${areOrIs(name)} cheapest (${size}): ${inDollars(dollarsPerMonth)} a month${others.join('')}`;
}

/** Of those that keep all limits. Of equally cheap ones, the first. */
function cheapestAt(alternatives: readonly Alternative[], perHour: number): NamedOffer | undefined {
  const usable = alternatives
    .map((own) => ({ name: own.name, ...own.at(perHour) }))
    .filter(({ breaks }) => breaks.length === 0);
  return usable.reduce<NamedOffer | undefined>(
    (best, own) => (best === undefined || own.dollarsPerMonth < best.dollarsPerMonth ? own : best),
    undefined,
  );
}

/** Verdicts are searched from here to `GREATEST_RATE`, in requests an hour. */
const LEAST_RATE = 1;

/** The relative precision of a rate at which the verdict changes. */
const PRECISION = 0.001;

/** The first rate on the way to `bound` at which another service is cheapest. A change and another one back within a factor of 2 may be missed. */
function nextRate(alternatives: readonly Alternative[], perHour: number, bound: number): number | undefined {
  const own = cheapestAt(alternatives, perHour)?.name;
  const isSame = (rate: number): boolean => cheapestAt(alternatives, rate)?.name === own;
  // Powers of two, so that any two rates find the same change: services with instances change places several times around one.
  const further = (rate: number): number =>
    bound > perHour
      ? Math.min(bound, 2 ** (Math.floor(Math.log2(rate)) + 1))
      : Math.max(bound, 2 ** (Math.ceil(Math.log2(rate)) - 1));
  let [same, other] = [perHour, further(perHour)];
  while (isSame(other)) {
    if (other === bound) return undefined;
    [same, other] = [other, further(other)];
  }
  while (Math.abs(other / same - 1) > PRECISION) {
    const middle = Math.sqrt(same * other);
    if (isSame(middle)) same = middle;
    else other = middle;
  }
  return other;
}

function twoDigits(value: number): number {
  return Number(value.toPrecision(2));
}

/** A plan of several slices is the only alternative whose name is a plural. */
function areOrIs(name: string): string {
  return /^\d+ slices/.test(name) ? 'are' : 'is';
}
