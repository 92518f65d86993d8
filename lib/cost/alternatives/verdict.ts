/** Says in sentences whether to slice, and what else would be cheaper at which rate of requests. */
import type { Temperature } from '../chain';
import type { Alternative, AlternativeId, Offer } from './alternative';
import { type Winner, GREATEST_RATE, LEAST_RATE, cheapestAt } from './winners';
import { inCount, inDollars, inMs, inPercent, inRate } from './wording';

export interface Verdict {
  /**
   * Whether the slices or one function should run the model: the cheaper one of the two that breaks no limit. Undefined if
   * both break one.
   */
  readonly choice?: 'slices' | 'one-function';
  /** Of all alternatives, the cheapest at the rate of requests. Undefined if all break a limit. */
  readonly cheapest?: AlternativeId;
  readonly sentences: readonly Sentence[];
}

/** A sentence without its full stop, and its figures. */
export interface Sentence {
  readonly kind: 'choice' | 'cheapest' | 'rates' | 'out';
  readonly text: string;
  /** The alternatives that it is about. */
  readonly about: readonly AlternativeId[];
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

/** An alternative with its offer at the rate of requests. */
interface Offered extends Offer {
  readonly alternative: Alternative;
}

export function verdictOf(
  alternatives: readonly Alternative[],
  winners: readonly Winner[],
  requests: Requests,
): Verdict {
  const { requestsPerHour } = requests;
  const offers = alternatives.map((alternative): Offered => ({
    alternative,
    ...alternative.at(requestsPerHour),
  }));
  const cheapest = cheapestAt(alternatives, requestsPerHour);
  const offer = offers.find(({ alternative }) => alternative === cheapest);
  const { choice, sentence } = choiceOf(offers, requests);
  return {
    ...(choice === undefined ? {} : { choice }),
    ...(cheapest === undefined ? {} : { cheapest: cheapest.id }),
    sentences: [
      sentence,
      ...(offer === undefined ? [] : [cheapestSentence(offer, requests)]),
      ...rateSentences(alternatives, winners),
      ...offers.filter((own) => !isUsable(own)).map(outSentence),
    ],
  };
}

/** Both are paid by run, and compared by the dollars of a month at the rate of requests, as all alternatives are. */
function choiceOf(
  offers: readonly Offered[],
  requests: Requests,
): { choice?: 'slices' | 'one-function'; sentence: Sentence } {
  const slices = offers.find(({ alternative }) => alternative.id === 'slices');
  const whole = offers.find(({ alternative }) => alternative.id === 'one-function');
  const about: AlternativeId[] = ['slices', 'one-function'];
  const said = (text: string): Sentence => ({ kind: 'choice', text, about });
  if (whole !== undefined && isUsable(whole)) {
    if (slices === undefined || !isUsable(slices)) {
      const figures = `${inDollars(whole.dollarsPerMonth)} a month ${atRate(requests)}, ${times(whole)}`;
      const why =
        slices === undefined
          ? ''
          : `; ${slices.alternative.name} ${areOrIs('slices', slices.alternative.name)} out: ${slices.breaks.join('; ')}`;
      return {
        choice: 'one-function',
        sentence: said(`one function would do: ${whole.size}, ${figures}${why}`),
      };
    }
    const isWholeCheaper = whole.dollarsPerMonth <= slices.dollarsPerMonth;
    const [best, other] = isWholeCheaper ? [whole, slices] : [slices, whole];
    const name = isWholeCheaper ? `one function would do: ${whole.size}, ` : `${slices.alternative.name}: `;
    return {
      choice: isWholeCheaper ? 'one-function' : 'slices',
      sentence: said(`${name}${versus(best, other, requests)}`),
    };
  }
  const why = whole === undefined ? '' : `: ${whole.breaks.join('; ')}`;
  if (slices !== undefined && isUsable(slices)) {
    return { choice: 'slices', sentence: said(`${slices.alternative.name}${why}`) };
  }
  const fault = slices === undefined ? 'no plan meets the limits' : slices.breaks.join('; ');
  return { sentence: said(`neither slices (${fault}) nor one function${why}`) };
}

function isUsable({ breaks }: Offer): boolean {
  return breaks.length === 0;
}

function times({ warm, cold }: Offer): string {
  return `warm p50 ${inMs(warm.time.quantile(0.5))}, cold p50 ${inMs(cold.time.quantile(0.5))}`;
}

function versus(one: Offer, other: Offer, requests: Requests): string {
  const ms = (temperature: 'warm' | 'cold', own: Offer) => inMs(own[temperature].time.quantile(0.5));
  return (
    `${inDollars(one.dollarsPerMonth)} instead of ${inDollars(other.dollarsPerMonth)} a month ${atRate(requests)}, ` +
    `warm p50 ${ms('warm', one)} instead of ${ms('warm', other)}, cold p50 ${ms('cold', one)} instead of ${ms('cold', other)}`
  );
}

/** Such as `at 10 requests an hour (assumed; 37 % of the runs are cold)`. */
function atRate({ requestsPerHour, isRateAssumed, temperature, coldShare }: Requests): string {
  const runs = {
    warm: 'all runs warm',
    cold: 'all runs cold',
    mixed: `${inPercent(coldShare)} of the runs cold`,
  }[temperature];
  return `at ${inRate(requestsPerHour)} (${isRateAssumed ? 'assumed; ' : ''}${runs})`;
}

function cheapestSentence(offer: Offered, { requestsPerHour }: Requests): Sentence {
  const { alternative, size, dollarsPerMonth } = offer;
  const { id, name } = alternative;
  return {
    kind: 'cheapest',
    text: `at ${inRate(requestsPerHour)}, ${name} ${areOrIs(id, name)} cheapest (${size}): ${inDollars(dollarsPerMonth)} a month${guessOf([alternative])}`,
    about: [id],
  };
}

/** What a reader must not take for known about the alternatives that a sentence recommends. */
function guessOf(alternatives: readonly Alternative[]): string {
  const guesses = alternatives.flatMap(({ guess }) => (guess === undefined ? [] : [guess]));
  return guesses.length === 0 ? '' : `; ${guesses.join('; ')}`;
}

function areOrIs(id: AlternativeId, name: string): string {
  return id === 'slices' && name !== 'one slice' ? 'are' : 'is';
}

/** One sentence for each range of rates. Ranges in which the same alternatives alternate are one. */
function rateSentences(alternatives: readonly Alternative[], winners: readonly Winner[]): Sentence[] {
  return rateRanges(winners).map(({ ids, fromPerHour, toPerHour }): Sentence => {
    const range = inRange({ fromPerHour, toPerHour });
    const named = ids.flatMap((id) => alternatives.find((own) => own.id === id) ?? []);
    const names = named.map(({ name }) => name);
    const text =
      names.length === 1
        ? `${names[0]} ${areOrIs(ids[0], names[0])} cheapest ${range}`
        : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]} take turns as the cheapest ${range}, because instances come in whole numbers`;
    return { kind: 'rates', text: `${text}${guessOf(named)}`, about: ids };
  });
}

/** A range of rates, and the alternatives that are the cheapest in parts of it. */
interface RateRange extends Rates {
  readonly ids: readonly AlternativeId[];
}

type Rates = Pick<Winner, 'fromPerHour' | 'toPerHour'>;

/** From the rate at which a winner first loses to the rate from which it never wins again, winners are in one range. */
function rateRanges(winners: readonly Winner[]): RateRange[] {
  const ranges: RateRange[] = [];
  for (let start = 0; start < winners.length;) {
    const end = endOfTurns(winners, start);
    const [first, last] = [winners[start], winners[end]];
    ranges.push({ ...first, ids: [first.id] });
    if (end > start) {
      const between = winners.slice(start + 1, end);
      const ids = [...new Set(between.map(({ id }) => id))];
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

function inRange({ fromPerHour, toPerHour }: Rates): string {
  const [isFirst, isLast] = [fromPerHour <= LEAST_RATE, toPerHour >= GREATEST_RATE];
  if (isFirst) return isLast ? 'at every rate' : `below ${inRate(toPerHour)}`;
  if (isLast) return `from ${inRate(fromPerHour)} on`;
  return `from ${inCount(fromPerHour)} to ${inRate(toPerHour)}`;
}

function outSentence({ alternative: { id, name }, breaks }: Offered): Sentence {
  return { kind: 'out', text: `${name} ${areOrIs(id, name)} out: ${breaks.join('; ')}`, about: [id] };
}
