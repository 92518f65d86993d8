/** The kinds of faults that the local cloud can inject, in the order of its tables. */

/** What each kind strikes: one request of a function to S3, one call of a function, or one start. docs/local-cloud.md says what it does. */
const KINDS = {
  's3-503': 'request',
  's3-500': 'request',
  's3-409': 'conditional write',
  reset: 'request',
  'lost-answer': 'write',
  'slow-response': 'request',
  'short-body': 'read',
  'stalled-body': 'read',
  'flipped-bit': 'request',
  'forgotten-connection': 'request',
  throttled: 'call',
  failing: 'call',
  'lost-result': 'call',
  'duplicate-delivery': 'call',
  'slow-start': 'start',
  'out-of-memory': 'request',
  'killed-before-write': 'write',
  'killed-during-write': 'write',
  'killed-after-write': 'write',
} as const;

/** The name of a kind of fault, such as `s3-503`. */
export type FaultKind = keyof typeof KINDS;

export type FaultChance = (typeof KINDS)[FaultKind];

/** All kinds of faults. */
export const FAULT_KINDS = Object.keys(KINDS) as readonly FaultKind[];

export function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(KINDS, name);
}

export function chanceOf(kind: FaultKind): FaultChance {
  return KINDS[kind];
}

export function kindsOf(...chances: readonly FaultChance[]): FaultKind[] {
  return FAULT_KINDS.filter((kind) => chances.includes(chanceOf(kind)));
}
