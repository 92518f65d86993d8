/** Describes a value of any type for an error, and names its type if a reader could mistake it. */
import { Duration, Size, Token } from 'aws-cdk-lib';
import { printable, quoted } from '../../errors';

/** Returns the value as an error says it after "got". */
export function got(value: unknown): string {
  if (typeof value === 'string') return ofString(value);
  if (typeof value === 'number' && Token.isUnresolved(value)) return 'a CDK token';
  if (typeof value === 'bigint') return `the bigint ${value}n`;
  if (typeof value === 'function') return `the function or class ${quoted(value.name)}`;
  if (typeof value !== 'object' || value === null) return printable(String(value));
  return ofObject(value);
}

function ofString(value: string): string {
  if (value === '') return 'an empty string';
  return Token.isUnresolved(value) ? 'a CDK token' : `the string ${quoted(value)}`;
}

function ofObject(value: object): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (value instanceof Duration || value instanceof Size) return printable(value.toString());
  if (Token.isUnresolved(value)) return 'a CDK token';
  const type: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  const isPlain = typeof type !== 'string' || type === 'Object' || type === '';
  if (!isPlain) return `an object of type ${printable(type)}`;
  return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
}
