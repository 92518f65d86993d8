import { Fn, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Tells deployments of a stack apart, also those of one name in several accounts, and a stack from a deleted one. */
export function stackUuid(scope: Construct): string {
  // `arn:aws:cloudformation:region:account:stack/name/uuid`
  return Fn.select(2, Fn.split('/', Stack.of(scope).stackId));
}
