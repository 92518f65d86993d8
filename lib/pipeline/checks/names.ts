/** Finds unknown names among the props of an object: a misspelt name is an error, any other a warning. */
import { Annotations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { distance } from 'fastest-levenshtein';
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
  const { where, elsewhere = {}, scope } = context;
  const what = `${where} must have props that exist`;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || known.includes(name)) continue;
    const meant = nearest(name, known);
    if (meant !== undefined) throw new SlicedInferenceError(what, quoted(name), `use ${meant}`);
    if (scope === undefined) {
      throw new SlicedInferenceError(what, quoted(name), `use ${known.join(', ')} or remove it`);
    }
    // TypeScript allows objects with more props than their type has.
    const other = nearest(name, Object.keys(elsewhere));
    const advice = other === undefined ? 'remove it' : `use ${elsewhere[other]}`;
    Annotations.of(scope).addWarningV2(
      'cdk-sliced-inference:unknownProp',
      `${where} must have props that exist, got ${quoted(name)}, which has no effect: ${advice}`,
    );
  }
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
