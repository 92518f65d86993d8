/** Finds unknown names among the props of an object: a misspelt name is an error, any other a warning. */
import type { Construct } from 'constructs';
import { distance } from 'fastest-levenshtein';
import { warn } from '../../aws/annotate';
import { SlicedInferenceError, quoted } from '../../errors';

interface NamesContext {
  /** Names the object in errors. */
  readonly where: string;
  /** By the name of a prop that another object has: where it is. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Gets a warning for each unknown name; without it an unknown name is an error. */
  readonly scope?: Construct;
}

/** @throws SlicedInferenceError for a name that is nearly the name of a prop */
export function checkNames(given: object, known: readonly string[], context: NamesContext): void {
  const { where, scope } = context;
  checkSpelling(given, known, where);
  for (const name of unknownNames(given, known)) {
    if (scope === undefined) {
      throw new SlicedInferenceError(mustExist(where), quoted(name), `use ${known.join(', ')} or remove it`);
    }
    // TypeScript allows objects with more props than their type has.
    warn(
      scope,
      'cdk-sliced-inference:unknownProp',
      `${mustExist(where)}, got ${quoted(name)}, which has no effect: ${advice(name, known, context)}`,
    );
  }
}

/** @throws SlicedInferenceError for a name that is nearly the name of a prop */
export function checkSpelling(given: object, known: readonly string[], where: string): void {
  for (const name of unknownNames(given, known)) {
    const meant = nearest(name, known);
    if (meant !== undefined) throw new SlicedInferenceError(mustExist(where), quoted(name), `use ${meant}`);
  }
}

function unknownNames(given: object, known: readonly string[]): string[] {
  return Object.entries(given).flatMap(([name, value]) =>
    value === undefined || known.includes(name) ? [] : [name],
  );
}

function mustExist(where: string): string {
  return `${where} must have props that exist`;
}

function advice(name: string, known: readonly string[], { elsewhere = {} }: NamesContext): string {
  const others = Object.keys(elsewhere);
  const other = nearest(name, others);
  if (other !== undefined) return `use ${elsewhere[other]}`;
  const begun = begunBy(name, [...known, ...others]);
  return begun === undefined ? 'remove it' : `use ${elsewhere[begun] ?? begun} or remove it`;
}

/** Fewer letters begin too many words. */
const MIN_PREFIX = 4;

/** Returns the only known name that begins with `name`. */
function begunBy(name: string, known: readonly string[]): string | undefined {
  const letters = plain(name);
  if (letters.length < MIN_PREFIX) return undefined;
  const candidates = known.filter((candidate) => plain(candidate).startsWith(letters));
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Edits that make a name a misspelling. Swapped letters are two. */
const MAX_EDITS = 2;

/** A short name is near many others: allow one edit for this many letters. */
const LETTERS_PER_EDIT = 3;

/** Returns the known name that is the same but for case, `_` and `-`, or that a few edits change into `name`. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const letters = plain(name);
  const best = known
    .map((candidate) => ({ candidate, edits: distance(letters, plain(candidate)) }))
    .filter(({ candidate, edits }) => edits <= Math.min(MAX_EDITS, candidate.length / LETTERS_PER_EDIT))
    .sort((a, b) => a.edits - b.edits)
    .at(0);
  return best?.candidate;
}

function plain(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase();
}
