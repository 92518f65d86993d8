/** Says in sentences whether to slice, and what else would be cheaper at which rate of requests. */
import type { Alternative, AlternativeId } from './alternative';
import { grouped, inDollars, inMs } from './alternative';
import { cheapestAt } from './winners';
import type { Winner } from './winners';

export interface Verdict {
  /**
   * Whether the slices or one function should run the model: the cheaper one of the two that breaks no limit. Undefined if
   * both break one.
   */
  readonly choice?: 'slices' | 'one-function';
  /** Of all alternatives, the cheapest at the rate of requests. Undefined without a rate, or if all break a limit. */
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

/** @param requestsPerHour undefined if the rate is not known */
export function verdictOf(
  alternatives: readonly Alternative[],
  winners: readonly Winner[],
  requestsPerHour?: number,
): Verdict {
  const usable = alternatives.filter(isUsable);
  const cheapest =
    requestsPerHour !== undefined && usable.length > 0 ? cheapestAt(usable, requestsPerHour) : undefined;
  const { choice, sentence } = choiceOf(alternatives, requestsPerHour);
  return {
    ...(choice === undefined ? {} : { choice }),
    ...(cheapest === undefined ? {} : { cheapest: cheapest.id }),
    sentences: [
      sentence,
      ...(cheapest === undefined || requestsPerHour === undefined
        ? []
        : [cheapestSentence(cheapest, requestsPerHour)]),
      ...rateSentences(alternatives, winners),
      ...alternatives.filter((own) => !isUsable(own)).map(outSentence),
    ],
  };
}

function choiceOf(
  alternatives: readonly Alternative[],
  requestsPerHour: number | undefined,
): { choice?: 'slices' | 'one-function'; sentence: Sentence } {
  const slices = alternatives.find(({ id }) => id === 'slices');
  const whole = alternatives.find(({ id }) => id === 'one-function');
  const about: AlternativeId[] = ['slices', 'one-function'];
  const said = (text: string): Sentence => ({ kind: 'choice', text, about });
  if (whole !== undefined && isUsable(whole)) {
    if (slices === undefined || !isUsable(slices)) {
      return {
        choice: 'one-function',
        sentence: said(`one function would do: ${whole.size}, ${runs(whole)}`),
      };
    }
    const price = (own: Alternative): number =>
      requestsPerHour === undefined ? own.warm.dollars : own.dollarsPerMonth(requestsPerHour);
    const isWholeCheaper = price(whole) <= price(slices);
    const [best, other] = isWholeCheaper ? [whole, slices] : [slices, whole];
    const name = isWholeCheaper ? `one function would do: ${whole.size}, ` : `${slices.name}: `;
    return {
      choice: isWholeCheaper ? 'one-function' : 'slices',
      sentence: said(`${name}${versus(best, other)}${monthly(best, other, requestsPerHour)}`),
    };
  }
  const why = whole === undefined ? '' : `: ${whole.breaks.join('; ')}`;
  if (slices !== undefined && isUsable(slices)) {
    return { choice: 'slices', sentence: said(`${slices.name}${why}`) };
  }
  const fault = slices === undefined ? 'no plan meets the limits' : slices.breaks.join('; ');
  return { sentence: said(`neither slices (${fault}) nor one function${why}`) };
}

function isUsable({ breaks }: Alternative): boolean {
  return breaks.length === 0;
}

function runs({ warm, cold }: Alternative): string {
  return `${inDollars(warm.dollars * 1e6)} for a million warm runs, warm p50 ${inMs(warm.latency.p50)}, cold p50 ${inMs(cold.latency.p50)}`;
}

function versus(one: Alternative, other: Alternative): string {
  const ms = (temperature: 'warm' | 'cold', own: Alternative) => inMs(own[temperature].latency.p50);
  return (
    `${inDollars(one.warm.dollars * 1e6)} instead of ${inDollars(other.warm.dollars * 1e6)} for a million warm runs, ` +
    `warm p50 ${ms('warm', one)} instead of ${ms('warm', other)}, cold p50 ${ms('cold', one)} instead of ${ms('cold', other)}`
  );
}

function monthly(one: Alternative, other: Alternative, rate: number | undefined): string {
  if (rate === undefined) return '';
  return `, ${inDollars(one.dollarsPerMonth(rate))} instead of ${inDollars(other.dollarsPerMonth(rate))} a month`;
}

function cheapestSentence(cheapest: Alternative, rate: number): Sentence {
  const dollars = inDollars(cheapest.dollarsPerMonth(rate));
  return {
    kind: 'cheapest',
    text: `at ${inRate(rate)}, ${cheapest.name} is cheapest (${cheapest.size}): ${dollars} a month`,
    about: [cheapest.id],
  };
}

/** One sentence for each range of rates. Ranges in which the same alternatives alternate are one. */
function rateSentences(alternatives: readonly Alternative[], winners: readonly Winner[]): Sentence[] {
  const nameOf = (id: AlternativeId): string => alternatives.find((own) => own.id === id)?.name ?? id;
  return rateRanges(winners).map(({ ids, fromPerHour, toPerHour }): Sentence => {
    const range = inRange({ fromPerHour, toPerHour }, winners);
    const names = ids.map(nameOf);
    const text =
      names.length === 1
        ? `${names[0]} ${ids[0] === 'slices' && names[0] !== 'one slice' ? 'are' : 'is'} cheapest ${range}`
        : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]} take turns as the cheapest ${range}, because instances come in whole numbers`;
    return { kind: 'rates', text, about: ids };
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

function inRange({ fromPerHour, toPerHour }: Rates, winners: readonly Winner[]): string {
  const isFirst = fromPerHour === winners[0].fromPerHour;
  const isLast = toPerHour === winners[winners.length - 1].toPerHour;
  if (isFirst) return isLast ? 'at every rate' : `below ${inRate(toPerHour)}`;
  if (isLast) return `from ${inRate(fromPerHour)} on`;
  return `from ${inCount(fromPerHour)} to ${inRate(toPerHour)}`;
}

function outSentence({ id, name, breaks }: Alternative): Sentence {
  return { kind: 'out', text: `${name} is out: ${breaks.join('; ')}`, about: [id] };
}

function inRate(perHour: number): string {
  return `${inCount(perHour)} requests an hour`;
}

function inCount(perHour: number): string {
  return perHour < 10 ? perHour.toPrecision(2) : grouped(perHour);
}
