/**
 * The files that replace prices and constants of the environment. A file names only what it replaces:
 * `{ "version": 1, "prices": { "lambda": { "requests": { "value": 0.2, "unit": "USD/million" } } } }`.
 */
import { SlicedInferenceError, printable, quoted } from '../../errors';
import { type Constant, type ConstantTable, type Pairs, type Range, KNOWN, UNITS, mapped } from './constant';

/** Largest file, in bytes. The defaults take about 20 KB. */
export const MAX_CONSTANTS_BYTES = 1024 * 1024;

const VERSION = 1;

/** Most pairs of a constant: a distribution is a few percentiles. */
const MAX_PAIRS = 64;

/** Longest text of a source or a date, in characters. */
const MAX_TEXT = 500;

/** Characters of a value that an error repeats. */
const MAX_SHOWN = 60;

/** What a file replaces, and the name of its option. */
export type ConstantsKind = 'prices' | 'environment';

/**
 * @param text content of the file, at most `MAX_CONSTANTS_BYTES` long
 * @param file its path, for errors
 * @throws SlicedInferenceError for text that is not such a file, and for the first unknown name or absurd value
 */
export function parseConstants<T extends ConstantTable>(
  text: string,
  file: string,
  kind: ConstantsKind,
  defaults: T,
): T {
  const place = new Place(file, kind);
  const root = place.object(parsed(text, place), ['version', kind]);
  if (root.version !== VERSION) throw place.at('version').fault(`be ${VERSION}`, root.version);
  const inKind = place.at(kind);
  const groups = inKind.object(root[kind], Object.keys(defaults));
  const table = mapped(defaults, (constant) => constant);
  for (const [group, own] of Object.entries(groups)) {
    const inGroup = inKind.at(group);
    const constants = inGroup.object(own, Object.keys(defaults[group]));
    for (const [name, replacement] of Object.entries(constants)) {
      table[group][name] = replaced(defaults[group][name], replacement, inGroup.at(name));
    }
  }
  // Groups and names are those of the defaults, and each value has the form of its default.
  return table as unknown as T;
}

/** A file that replaces nothing, to start from: all constants with their units and sources. */
export function printConstants(kind: ConstantsKind, table: ConstantTable): string {
  return `${JSON.stringify({ version: VERSION, [kind]: table }, null, 2)}\n`;
}

function parsed(text: string, place: Place): unknown {
  if (text.length > MAX_CONSTANTS_BYTES) {
    throw place.faultOf(`have at most ${MAX_CONSTANTS_BYTES} bytes`, `${text.length} characters`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw place.faultOf('be JSON', text.trim() === '' ? 'an empty file' : 'text that is not JSON');
  }
}

function replaced(constant: Constant, replacement: unknown, place: Place): Constant {
  const fields = place.object(replacement, ['meaning', 'value', 'unit', 'known', 'source', 'date']);
  if (fields.unit !== constant.unit) throw place.at('unit').fault(`be '${constant.unit}'`, fields.unit);
  if (fields.known !== undefined && !KNOWN.some((known) => known === fields.known)) {
    throw place.at('known').fault(`be one of ${KNOWN.join(', ')}`, fields.known);
  }
  const value = valueOf(constant, fields.value, place.at('value'));
  const isDefault =
    JSON.stringify(value) === JSON.stringify(constant.value) && fields.source === constant.source;
  const { meaning } = constant;
  return {
    ...(meaning !== undefined && { meaning }),
    value,
    unit: constant.unit,
    known: isDefault ? constant.known : 'replaced',
    source: textOf(fields.source, place.at('source')) ?? place.file,
    date: textOf(fields.date, place.at('date')) ?? '',
  };
}

function valueOf(constant: Constant, value: unknown, place: Place): number | Pairs {
  const unit = UNITS[constant.unit];
  return 'pairs' in unit ? pairsOf(value, unit.pairs, place) : numberIn(unit.range, value, place);
}

function pairsOf(value: unknown, [firsts, seconds]: readonly [Range, Range], place: Place): Pairs {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PAIRS) {
    throw place.fault(`be a list of 1 to ${MAX_PAIRS} pairs`, value);
  }
  const pairs = value.map((own: unknown, index): readonly [number, number] => {
    const at = place.item(index);
    if (!Array.isArray(own) || own.length !== 2) throw at.fault('be a pair of numbers', own);
    return [numberIn(firsts, own[0], at.item(0)), numberIn(seconds, own[1], at.item(1))];
  });
  pairs.forEach(([first, second], index) => {
    if (index === 0) return;
    const [before, lower] = pairs[index - 1];
    if (first <= before) throw place.item(index).item(0).fault(`be above ${before}`, first);
    if (second < lower) throw place.item(index).item(1).fault(`be at least ${lower}`, second);
  });
  return pairs;
}

function numberIn([least, most]: Range, value: unknown, place: Place): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw place.fault(`be a number from ${least} to ${most}`, value);
}

function textOf(value: unknown, place: Place): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw place.fault('be text', value);
  if (value.length > MAX_TEXT) {
    throw place.faultOf(`have at most ${MAX_TEXT} characters`, `${value.length} characters`);
  }
  return printable(value, MAX_TEXT);
}

/** A place in a file, such as `prices.lambda.requests.value`. */
class Place {
  constructor(
    readonly file: string,
    private readonly kind: ConstantsKind,
    private readonly path = '',
  ) {}

  at(name: string): Place {
    return new Place(this.file, this.kind, this.path === '' ? name : `${this.path}.${name}`);
  }

  item(index: number): Place {
    return new Place(this.file, this.kind, `${this.path}[${index}]`);
  }

  object(value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.fault('be an object', value);
    }
    const unknown = Object.keys(value).find((name) => !names.includes(name));
    if (unknown !== undefined) throw this.fault(`have no field other than ${names.join(', ')}`, unknown);
    return value as Record<string, unknown>;
  }

  fault(must: string, value: unknown): SlicedInferenceError {
    return this.faultOf(must, described(value));
  }

  faultOf(must: string, got: string): SlicedInferenceError {
    const file = `${this.kind} file ${quoted(this.file)}`;
    const subject = this.path === '' ? file : `${this.path} of ${file}`;
    return new SlicedInferenceError(
      `${subject} must ${must}`,
      got,
      'correct the file; docs/costs.md describes it',
    );
  }
}

/** Describes lists and objects by their kind alone: they may be deep or large. */
function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `'${printable(value, MAX_SHOWN)}'`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value);
}
