/** The kinds of faults that the local cloud can inject, in the order of its tables. */

/** What each kind does, and to what. One chance is one request of a function to S3, one call of a function, or one start. */
const KINDS = {
  's3-503': ['request', 'S3 answers 503 SlowDown'],
  's3-500': ['request', 'S3 answers 500 InternalError'],
  's3-409': ['conditional write', 'S3 answers 409 ConditionalRequestConflict'],
  reset: ['request', 'S3 resets the connection before it does anything'],
  'lost-answer': ['write', 'S3 writes the object and resets the connection instead of answering'],
  'slow-response': ['request', 'S3 waits up to three seconds before it answers'],
  'short-body': ['read', 'the connection closes in the middle of the body of the response'],
  'stalled-body': ['read', 'the response stops in the middle of its body and stays silent'],
  'flipped-bit': ['request', 'one bit changes in the body of the request or of the response'],
  'forgotten-connection': ['request', 'nothing answers on the connection any more'],
  throttled: ['call', 'Lambda refuses the call with TooManyRequestsException'],
  failing: ['call', 'Lambda fails before the function runs, with one of its service errors'],
  'lost-result': ['call', 'the function runs, and Step Functions does not receive its result'],
  'duplicate-delivery': ['call', 'the function runs twice at the same time; one of the results counts'],
  'slow-start': ['start', 'a new sandbox starts up to three seconds later'],
  'out-of-memory': ['request', 'the function is killed as for too much memory when its request arrives'],
  'killed-before-write': ['write', 'the function is killed before S3 reads its object'],
  'killed-during-write': ['write', 'the function is killed when S3 has read a half of its object'],
  'killed-after-write': ['write', 'the function is killed after S3 has stored its object'],
} as const;

/** The name of a kind of fault, such as `s3-503`. */
export type FaultKind = keyof typeof KINDS;

export type FaultChance = (typeof KINDS)[FaultKind][0];

/** All kinds of faults. */
export const FAULT_KINDS = Object.keys(KINDS) as readonly FaultKind[];

export function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(KINDS, name);
}

export function chanceOf(kind: FaultKind): FaultChance {
  return KINDS[kind][0];
}

export function effectOf(kind: FaultKind): string {
  return KINDS[kind][1];
}

export function kindsOf(...chances: readonly FaultChance[]): FaultKind[] {
  return FAULT_KINDS.filter((kind) => chances.includes(chanceOf(kind)));
}
