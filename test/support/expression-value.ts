/** Evaluates the expressions of the states of a batch, as the local cloud does. */
import type { PackFailure, PackItem } from '../../contract/batch-pack';
import { compileQuery } from '../../local/step-functions/query';
import type { Json } from '../../local/json';

/** Of elements in lists. */
export const COUNTS = [0, 1, 2, 5];
export const MANY = COUNTS.filter((count) => count > 0);

interface Scope {
  readonly input?: unknown;
  /** The payload of the function's answer. */
  readonly payload?: unknown;
  readonly errorOutput?: unknown;
  /** Of the execution, in milliseconds. */
  readonly startedAt?: number;
  readonly [variable: string]: unknown;
}

/** Evaluates an expression, or several, in a scope of these variables. */
export async function valueOf(
  query: unknown,
  { input = {}, payload, errorOutput, startedAt = Date.now(), ...variables }: Scope,
): Promise<unknown> {
  const states = {
    input: input as Json,
    context: { Execution: { StartTime: new Date(startedAt).toISOString() }, State: { Name: 'Slice 03' } },
    ...(payload !== undefined && { result: { Payload: payload } as Json }),
    ...(errorOutput !== undefined && { errorOutput: errorOutput as Json }),
  };
  const bound = new Map(Object.entries(variables as Readonly<Record<string, Json>>));
  return await compileQuery(query as Json, 'the field').evaluate({ states, variables: bound });
}

export function item(index: number): PackItem {
  return { index, value: { Key: `inputs/${index}`, Size: 7 } };
}

/** Items with the indices 10, 11 and so on. */
export function items(count: number): PackItem[] {
  return Array.from({ length: count }, (_, at) => item(10 + at));
}

/** Packs of one, two, three and so on items. */
export function packs(count: number): { readonly items: readonly PackItem[] }[] {
  return Array.from({ length: count }, (_, at) => ({ items: items(at + 1) }));
}

export const FAILURE: PackFailure = { items: [7], error: 'InvalidInput', cause: 'before' };

export function failures(count: number, first = 100): PackFailure[] {
  return Array.from({ length: count }, (_, at) => ({ ...FAILURE, items: [first + at] }));
}

/** Of an answer of slice 2. */
export const TIMING = { loadMs: 1, readMs: 2.2, runMs: 3, writeMs: 4, memoryMb: 1000, processor: 'arm64' };
/** What the call was. */
export const CALL = { slice: 2, mbMs: 10_200, processor: 'arm64' };
