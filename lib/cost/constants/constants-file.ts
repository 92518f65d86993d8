/**
 * The files that replace prices and constants of the environment. A file names only what it replaces:
 * `{ "version": 1, "prices": { "lambda": { "requests": { "value": 0.2, "unit": "USD/million" } } } }`.
 */
import * as read from '../../json-readers';
import { type Constant, type ConstantTable, type Pairs, KNOWN, UNITS, mapped, scaled } from './constant';

/** Largest file, in bytes. The defaults take about 20 KB. */
export const MAX_CONSTANTS_BYTES = 1024 * 1024;

const VERSION = 1;
const MAX_PAIRS = 64;
const MAX_TEXT = 500;

const ADVICE = 'correct the file; docs/costs.md describes it';

type ConstantsKind = 'prices' | 'environment';

/** @param text content of the file, at most `MAX_CONSTANTS_BYTES` long @param file its path, for errors */
export function parseConstants<T extends ConstantTable>(
  text: string,
  file: string,
  kind: ConstantsKind,
  defaults: T,
): T {
  const place = read.Place.root(file, { kind: `${kind} file`, advice: ADVICE });
  if (text.length > MAX_CONSTANTS_BYTES) {
    throw place.faultOf(`have at most ${MAX_CONSTANTS_BYTES} bytes`, `${text.length} characters`);
  }
  const readers = mapped(defaults, (constant) => read.optional(replacementOf(constant, file)));
  const groups = Object.entries(readers).map(
    ([group, own]) => [group, read.optional(read.anObject(own))] as const,
  );
  const whole = read.anObject<Record<string, unknown>>({
    version: read.oneOf([VERSION]),
    [kind]: read.anObject(Object.fromEntries(groups)),
  });
  const given = whole(read.jsonOf(text, place, 'be JSON', ADVICE), place)[kind] as Partial<ConstantTable>;
  // Groups and names are those of the defaults, and each value has the form of its default.
  return mapped(defaults, (constant, group, name) => given[group]?.[name] ?? constant) as unknown as T;
}

/** A file that replaces nothing, to start from: all constants with their units and sources. */
export function printConstants(kind: ConstantsKind, table: ConstantTable): string {
  return `${JSON.stringify({ version: VERSION, [kind]: table }, null, 2)}\n`;
}

/** Whether a constant counts as ours, and not as replaced. */
export function isDefault(own: Pick<Constant, 'value' | 'spread'>, { value, spread }: Constant): boolean {
  return JSON.stringify([own.value, own.spread]) === JSON.stringify([value, spread]);
}

function replacementOf(constant: Constant, file: string): read.Reader<Constant> {
  const { meaning, unit } = constant;
  const form = UNITS[unit];
  const text = read.optional(read.text(MAX_TEXT));
  const valueOf = 'pairs' in form ? pairsOf(form.pairs.map(inRange)) : inRange(form.range);
  const fields = read.anObject<Pick<Constant, 'value' | 'spread'> & Partial<Constant>>({
    unit: (value, place) => {
      if (value === unit) return unit;
      throw place.fault(`be '${unit}'`, value);
    },
    ...{ known: read.optional(read.oneOf(KNOWN)), value: valueOf, source: text, date: text },
    meaning: () => meaning,
    spread: read.optional(spreadOf(constant)),
  });
  return (replacement, place) => {
    const { source = file, date = '', ...own } = fields(replacement, place);
    // Both ends must be values that the constant can have.
    for (const by of own.spread ?? []) valueOf(scaled(own.value, by), place.field('value times spread'));
    return isDefault(own, constant) ? constant : { ...own, unit, known: 'replaced', source, date };
  };
}

const inRange = ([least, most]: readonly [number, number]) => read.numberFrom(least, most);
const [BELOW, ABOVE] = [read.numberFrom(0, 1), read.numberFrom(1, 10)];

/** In the order of our spread: if runs are faster with more, as with `keepAliveSeconds`, the first number is the greater one. */
function spreadOf({ unit, spread }: Constant): read.Reader<Constant['spread']> {
  return (value, place) => {
    if (unit.startsWith('USD')) throw place.fault('be absent, as prices are exact', value);
    const isFalling = Number((spread ?? (value as unknown[] | null))?.[0]) > 1;
    const limitsOf = (index: number) => ((index === 0) === isFalling ? ABOVE : BELOW);
    const [fast, slow] = read.aListOf(limitsOf, 2, 2)(value, place);
    return [fast, slow];
  };
}

function pairsOf([firstOf, secondOf]: readonly read.Reader<number>[]): read.Reader<Pairs> {
  return (value, place) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PAIRS) {
      throw place.fault(`be a list of 1 to ${MAX_PAIRS} pairs`, value);
    }
    const pairs = value.map((own: unknown, index): readonly [number, number] => {
      const at = place.item(index);
      if (!Array.isArray(own) || own.length !== 2) throw at.fault('be a pair of numbers', own);
      return [firstOf(own[0], at.item(0)), secondOf(own[1], at.item(1))];
    });
    pairs.slice(1).forEach(([first, second], index) => {
      const [[before, lower], at] = [pairs[index], place.item(index + 1)];
      if (first <= before) throw at.item(0).fault(`be above ${before}`, first);
      if (second < lower) throw at.item(1).fault(`be at least ${lower}`, second);
    });
    return pairs;
  };
}
