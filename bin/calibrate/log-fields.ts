/** Reads fields of a line of a log. Logs come from outside, so every field may be missing, of another kind or impossible. */

export type LogFields = Readonly<Record<string, unknown>>;

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
