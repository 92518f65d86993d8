/** Scenarios of one state machine: which attempts of which functions fail, and how. */
import type { Json, JsonObject } from '../../../local/basics/json';

/** The outcome of one call of a function. */
export type Attempt =
  | { readonly payload: Json }
  /** The function threw: what Lambda returns as the payload. */
  | { readonly failure: { readonly errorType: string; readonly errorMessage: string } }
  /** Lambda refused the call. */
  | { readonly code: string; readonly message: string };

export interface Scenario {
  readonly name: string;
  /** By function: the outcomes of its first calls. */
  readonly attempts: Readonly<Record<string, readonly Attempt[]>>;
  /** By function: the outcome of its further calls. */
  readonly otherwise: Readonly<Record<string, Attempt>>;
}

/** Calls of a function that only warm it up count separately. */
export function warmUpOf(functionName: string): string {
  return `${functionName}#warm-up`;
}

/** More than any retry allows. */
const ALWAYS = 50;

function failure(errorType: string, errorMessage: string): Attempt {
  return { failure: { errorType, errorMessage } };
}

const THROTTLED: Attempt = { code: 'TooManyRequestsException', message: 'Rate Exceeded.' };

/** By name: the outcomes of a function's first calls. */
const FAULTS: Readonly<Record<string, readonly Attempt[]>> = {
  'is throttled twice': [THROTTLED, THROTTLED],
  'crashes once': [
    failure('Runtime.ExitError', 'RequestId: 1 Error: Runtime exited with error: signal: killed'),
  ],
  'always times out': Array.from({ length: ALWAYS }, () =>
    failure('Sandbox.Timedout', 'RequestId: 1 Error: Task timed out after 60.00 seconds'),
  ),
  'always fails': Array.from({ length: ALWAYS }, () =>
    failure('SliceFailed', JSON.stringify({ slice: 1, message: 'a "quoted" text' })),
  ),
  'refuses its input': [failure('InvalidInput', 'plain text')],
  'belongs to another plan': [failure('PlanChanged', JSON.stringify({ slice: 0, message: 'another plan' }))],
};

/** @param functions in the order of the definition */
export function scenariosOf(functions: readonly string[]): Scenario[] {
  const otherwise = Object.fromEntries(
    functions.map((name, index): [string, Attempt] => [name, { payload: answerOf(index) }]),
  );
  const targets = new Map([
    ['the first function', functions[0]],
    ['the middle function', functions[Math.floor(functions.length / 2)]],
    ['the last function', functions[functions.length - 1]],
  ]);
  const warmUps = functions.map((name): [string, readonly Attempt[]] => [
    warmUpOf(name),
    FAULTS['always fails'],
  ]);
  return [
    { name: 'nothing fails', attempts: {}, otherwise },
    { name: 'all warm-ups fail', attempts: Object.fromEntries(warmUps), otherwise },
    ...[...targets].flatMap(([what, target]) =>
      Object.entries(FAULTS).map(([fault, attempts]) => ({
        name: `${what} ${fault}`,
        attempts: { [target]: attempts },
        otherwise,
      })),
    ),
  ];
}

/** What a slice function returns. */
function answerOf(slice: number): JsonObject {
  return {
    timing: { slice, loadMs: slice, runMs: 2 },
    outputs: { y: { dtype: 'float32', shape: [1, 16], key: 'outputs/run.safetensors' } },
  };
}
