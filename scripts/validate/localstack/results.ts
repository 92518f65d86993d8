/** Results of executions, and how two interpreters' results are compared. */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../../local/basics/json';

export interface Result {
  readonly status: string;
  /** If the execution succeeded. */
  readonly output?: Json;
  /** If it failed. */
  readonly error?: string;
  readonly cause?: string;
  /** By function: the payloads of its calls. */
  readonly calls: Readonly<Record<string, readonly Json[]>>;
}

/**
 * Returns the fields that differ, each as a text. A failure ends parallel branches at a place that depends on the interpreter, so the calls of
 * failed executions count only for functions that failed.
 *
 * @param failed the functions with faults in the scenario
 */
export function differences(ours: Result, theirs: Result, failed: readonly string[]): string[] {
  const fields = (result: Result): Record<string, unknown> => {
    const { status, output, error, cause, calls } = result;
    const isCompared = (name: string): boolean => status === 'SUCCEEDED' || failed.includes(name);
    const compared = Object.entries(calls).filter(([name]) => isCompared(name));
    return {
      status,
      output,
      error,
      cause,
      ...Object.fromEntries(compared.map(([name, payloads]) => [`calls of ${name}`, payloads])),
    };
  };
  const [own, other] = [fields(ours), fields(theirs)];
  return [...new Set([...Object.keys(own), ...Object.keys(other)])]
    .filter((name) => !isDeepStrictEqual(own[name], other[name]))
    .map((name) => `${name}: ours is ${short(own[name])}, LocalStack's ${short(other[name])}`);
}

function short(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined || text.length <= 300 ? String(text) : `${text.slice(0, 300)}...`;
}
