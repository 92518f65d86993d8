/** Refuses CDK tokens for values that the construct needs at synth time, and values that are missing. */
import { Duration, Size, Token } from 'aws-cdk-lib';
import { SlicedInferenceError } from '../errors';

/** @throws SlicedInferenceError if the value is a CDK token, which has a value only at deployment */
export function knownAtSynth<T>(value: T, what: string): T {
  const isAmount = value instanceof Duration || value instanceof Size;
  if (!(isAmount ? value.isUnresolved() : Token.isUnresolved(value))) return value;
  throw new SlicedInferenceError(`${what} must be known at synth time`, 'a CDK token', 'pass the value');
}

/** @throws SlicedInferenceError for `undefined`, which the types do not allow and a caller without types can pass */
export function given<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new SlicedInferenceError(`${what} must be set`, 'undefined', 'pass the construct');
}
