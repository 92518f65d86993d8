/** Names of runs: those that the state machine makes, and others. */
import { type Json, words } from '../json/odd-values';
import type { Random } from '../random';

/** Names that an execution, a state machine or the label of a map may have. */
const NAMES = [
  ...words("machine run-1 a A_b-9 a.b ... order=7 it's(1) x@y! é 日本 \u{1f600} 1764000000000"),
  ...['n'.repeat(80), '0f0e0d0c-0000-4000-8000-000000000000'],
];

/** The state machine makes names of two to four parts. */
export function validRun(random: Random): string {
  return Array.from({ length: random.between(2, 4) }, () => random.pick(NAMES)).join('/');
}

/** They are not the name of one run, or are not a name at all. */
export const ODD_RUNS: readonly Json[] = [
  ...words(
    '/ // a a/ /a a//b a/b/ a/b/c/d/e ../x ../inputs/x ./a a/. a/.. a/../../inputs/x a/b/../../../inputs/x',
  ),
  ...words(
    '.. ../.. a/* a/b? a/b#c a%2F..%2Fb/c a\\..\\b/c a/b:c a/b&c a/{b} a/\u0085 a/\u2028 a/\ufeff a/\ud800',
  ),
  ...['', 'a/b c', 'a/b\tc', 'a/b\0', 'a/b\n', 'a/\uffff', `a/${'b'.repeat(81)}`, 'x'.repeat(5000)],
  ...[
    `${'a/'.repeat(2500)}b`,
    '../'.repeat(2000),
    null,
    0,
    1,
    true,
    [],
    ['a/b'],
    {},
    { length: 3 },
    { toString: 'a/b' },
  ],
];

/** What a name must not have: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
const EXCLUDED = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\p{Cs}\u{fffe}\u{ffff}\u{10ffff}]/u;

/** Whether the state machine could have made the name, and its objects are where keys of S3 say. */
export function isValidRun(run: unknown): run is string {
  if (typeof run !== 'string') return false;
  const parts = run.split('/');
  return parts.length >= 2 && parts.length <= 4 && parts.every(isValidName);
}

function isValidName(name: string): boolean {
  const length = Array.from(name).length;
  return length > 0 && length <= 80 && name !== '.' && name !== '..' && !EXCLUDED.test(name);
}
