/** The values of CloudFormation's pseudo parameters. */
import { createHash } from 'node:crypto';
import { unsupported } from '../local-cloud-error';
import type { StackEnvironment } from './assembly';

/** The same for each deployment of a stack, so that its log groups and keys keep their names. */
function uuidOf(stack: string): string {
  const hex = createHash('sha256').update(stack).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');
}

/** `AWS::NoValue`: removes the property or the list element. */
export const NO_VALUE = Symbol('AWS::NoValue');

/** @throws LocalCloudError for an unsupported pseudo parameter */
export function pseudoParameter(
  name: string,
  { stackName, environment }: { readonly stackName: string; readonly environment: StackEnvironment },
): string | typeof NO_VALUE {
  const { account, region } = environment;
  switch (name) {
    case 'AWS::NoValue':
      return NO_VALUE;
    case 'AWS::AccountId':
      return account;
    case 'AWS::Region':
      return region;
    case 'AWS::Partition':
      return 'aws';
    case 'AWS::URLSuffix':
      return 'amazonaws.com';
    case 'AWS::StackName':
      return stackName;
    case 'AWS::StackId':
      return `arn:aws:cloudformation:${region}:${account}:stack/${stackName}/${uuidOf(`${region}/${account}/${stackName}`)}`;
    default:
      throw unsupported(`the pseudo parameter ${name} in the stack '${stackName}'`);
  }
}
