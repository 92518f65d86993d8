/** Refuses CDK tokens for values that the construct needs at synth time. */
import { Duration, Size, Token } from 'aws-cdk-lib';
import { SlicedInferenceError } from '../errors';

/** @throws SlicedInferenceError if the value is a CDK token, which has a value only at deployment */
export function knownAtSynth<T>(value: T, what: string): T {
  const isAmount = value instanceof Duration || value instanceof Size;
  if (!(isAmount ? value.isUnresolved() : Token.isUnresolved(value))) return value;
  throw new SlicedInferenceError(
    `${what} must be known at synth time`,
    'a CDK token',
    'pass the value itself',
  );
}
