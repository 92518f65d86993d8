/**
 * The functions that Step Functions adds to those of JSONata, without `$hash`.
 * https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
 */
import { randomUUID } from 'node:crypto';

/** Replace JSONata's own functions of the same name. */
export const STEP_FUNCTIONS = {
  parse: (text: unknown): unknown => {
    if (text === undefined) return undefined;
    if (typeof text !== 'string') throw new TypeError('$parse expects a string');
    return JSON.parse(text) as unknown;
  },
  eval: (): never => {
    throw new Error('Step Functions does not support $eval');
  },
  uuid: (): string => randomUUID(),
  random: (...seed: unknown[]): number => {
    if (seed.length > 0) throw new Error('the local cloud does not support $random with a seed');
    return Math.random();
  },
  range: (first: unknown, last: unknown, step: unknown): number[] => {
    const [from, to, by] = [first, last, step].map(integer) as [number, number, number];
    if (by === 0) throw new RangeError('$range expects a step other than 0');
    const count = Math.max(0, Math.floor((to - from) / by) + 1);
    if (count > MAX_RANGE) throw new RangeError(`$range returns at most ${MAX_RANGE} numbers, got ${count}`);
    return Array.from({ length: count }, (_, at) => from + at * by);
  },
  partition: (items: unknown, size: unknown): unknown[][] => {
    const length = integer(size);
    if (!Array.isArray(items) || length < 1)
      throw new TypeError('$partition expects an array and a positive size');
    const parts = Math.ceil(items.length / length);
    return Array.from({ length: parts }, (_, at): unknown[] => items.slice(at * length, (at + 1) * length));
  },
} as const;

const MAX_RANGE = 1000;

function integer(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError('expected a number');
  return Math.round(value);
}
