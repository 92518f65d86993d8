/** Refuses CDK tokens where a model is cut by a value: that happens at synth time. */
import { Duration, Size, Token } from 'aws-cdk-lib';
import { SlicedInferenceError } from '../errors';

/** @returns the value, when it is none that CDK knows at deployment only */
export function knownAtSynth<T>(value: T, what: string): T {
  const isAmount = value instanceof Duration || value instanceof Size;
  if (!(isAmount ? value.isUnresolved() : Token.isUnresolved(value))) return value;
  throw new SlicedInferenceError(
    `${what} must be known at synth time`,
    'a CDK token',
    'give the value itself',
  );
}
