/**
 * The files that replace prices and constants of the environment. A file names only what it replaces:
 * `{ "version": 1, "prices": { "lambda": { "requests": { "value": 0.2, "unit": "USD/million" } } } }`.
 */
import { printable } from '../../errors';
import { type Reader, Place, anObject, jsonOf, numberFrom, oneOf, optional } from '../../json-readers';
import { type Constant, type ConstantTable, type Pairs, type Range, KNOWN, UNITS, mapped } from './constant';

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
  const place = Place.root(file, { kind: `${kind} file`, advice: ADVICE });
  if (text.length > MAX_CONSTANTS_BYTES) {
    throw place.faultOf(`have at most ${MAX_CONSTANTS_BYTES} bytes`, `${text.length} characters`);
  }
  const readers = mapped(defaults, (constant) => optional(replacementOf(constant, file)));
  const groups = Object.entries(readers).map(([group, own]) => [group, optional(anObject(own))] as const);
  const read = anObject<Record<string, unknown>>({
    version: oneOf([VERSION]),
    [kind]: anObject(Object.fromEntries(groups)),
  });
  const given = read(jsonOf(text, place, 'be JSON', ADVICE), place)[kind] as Partial<ConstantTable>;
  // Groups and names are those of the defaults, and each value has the form of its default.
  return mapped(defaults, (constant, group, name) => given[group]?.[name] ?? constant) as unknown as T;
}

/** A file that replaces nothing, to start from: all constants with their units and sources. */
export function printConstants(kind: ConstantsKind, table: ConstantTable): string {
  return `${JSON.stringify({ version: VERSION, [kind]: table }, null, 2)}\n`;
}

function replacementOf(constant: Constant, file: string): Reader<Constant> {
  const { meaning, unit, known, spread, ...own } = constant;
  const form = UNITS[unit];
  const read = anObject<
    Record<'unit' | 'known' | 'value' | 'source' | 'date' | 'meaning' | 'spread', unknown>
  >({
    unit: (value, place) => {
      if (value === unit) return unit;
      throw place.fault(`be '${unit}'`, value);
    },
    known: optional(oneOf(KNOWN)),
    value: (value, place) =>
      'pairs' in form ? pairsOf(value, form.pairs, place) : inRange(form.range)(value, place),
    source: textOf,
    date: textOf,
    meaning: () => meaning,
    spread: () => undefined,
  });
  return (replacement, place) => {
    const {
      value,
      source,
      date = '',
    } = read(replacement, place) as Pick<Constant, 'value'> & Partial<Constant>;
    const isDefault = JSON.stringify(value) === JSON.stringify(own.value) && source === own.source;
    return {
      ...(meaning !== undefined && { meaning }),
      ...{ value, unit, known: isDefault ? known : 'replaced' },
      ...(isDefault && spread !== undefined && { spread }),
      ...{ source: source ?? file, date },
    };
  };
}

const inRange = ([least, most]: Range): Reader<number> => numberFrom(least, most);

function pairsOf(value: unknown, [firsts, seconds]: readonly [Range, Range], place: Place): Pairs {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PAIRS) {
    throw place.fault(`be a list of 1 to ${MAX_PAIRS} pairs`, value);
  }
  const pairs = value.map((own: unknown, index): readonly [number, number] => {
    const at = place.item(index);
    if (!Array.isArray(own) || own.length !== 2) throw at.fault('be a pair of numbers', own);
    return [inRange(firsts)(own[0], at.item(0)), inRange(seconds)(own[1], at.item(1))];
  });
  pairs.forEach(([first, second], index) => {
    if (index === 0) return;
    const [before, lower] = pairs[index - 1];
    if (first <= before) throw place.item(index).item(0).fault(`be above ${before}`, first);
    if (second < lower) throw place.item(index).item(1).fault(`be at least ${lower}`, second);
  });
  return pairs;
}

function textOf(value: unknown, place: Place): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw place.fault('be text', value);
  if (value.length > MAX_TEXT) {
    throw place.faultOf(`have at most ${MAX_TEXT} characters`, `${value.length} characters`);
  }
  return printable(value, MAX_TEXT);
}
