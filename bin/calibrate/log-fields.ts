/** Reads fields of a line of a log. Logs come from outside, so every field may be missing, of another kind or impossible. */

import { REPORT_START } from './message-kinds';

export type LogFields = Readonly<Record<string, unknown>>;

/** Longest run, id of a request or ARN that is kept. */
const MAX_NAME_CHARACTERS = 1024;

/** Thrown by the readers of fields, and caught where a message ends. */
export class BadField extends Error {}

export function numberIn(fields: LogFields, name: string, least: number, most: number): number {
  const value = fields[name];
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new BadField(`${name} is not a number from ${least} to ${most}`);
}

export function whole(fields: LogFields, name: string, least: number, most: number): number {
  const value = numberIn(fields, name, least, most);
  if (Number.isInteger(value)) return value;
  throw new BadField(`${name} is not a whole number`);
}

export function flag(fields: LogFields, name: string): boolean {
  const value = fields[name];
  if (typeof value === 'boolean') return value;
  throw new BadField(`${name} is not true or false`);
}

export function requiredName(fields: LogFields, field: string): string {
  const value = name(fields, field);
  if (value === undefined) throw new BadField(`${field} is missing`);
  return value;
}

export function name(fields: LogFields, field: string): string | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS) return value;
  throw new BadField(`${field} is not a name`);
}

export function isFields(value: unknown): value is LogFields {
  return typeof value === 'object' && value !== null;
}

/** `undefined` for a text that is no object of JSON: a function may log text that begins like JSON. */
export function parsedFields(text: string): LogFields | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as LogFields;
  } catch {
    return undefined;
  }
}

/** The request of a report as text. */
export function reportedRequest(text: string): string {
  const found = /^ (\S+)/.exec(text.slice(REPORT_START.length))?.[1];
  return requiredName({ requestId: found }, 'requestId');
}

/** @param pattern has the figure as its first group */
export function figureIn(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text);
  return found === null ? undefined : Number(found[1]);
}
