/** The kinds of values that props and arguments have. */
import { Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { durationCall, sizeCall } from './amounts';
import type { Check } from './check';
import { kind } from './check';
import { nearest } from './names';

/** A string, or a token that becomes one. */
export const TEXT = kind('a string', (value) => typeof value === 'string' || isToken(value), 'pass a string');

/** The path of a file. */
export const PATH = kind(
  'a path',
  (value) => (typeof value === 'string' && value !== '') || isToken(value),
  'pass the path of a file on this machine',
);

/** A number, or a token that becomes one. */
export const NUMBER = kind(
  'a number',
  (value) => typeof value === 'number' || isToken(value),
  (value) => {
    if (typeof value === 'bigint') return `pass ${value}, without n`;
    return isNumeral(value) ? `pass ${value}, without quotes` : 'pass a number';
  },
);

/** The construct decides by it, so it cannot be a token. */
export const BOOLEAN = kind(
  'true or false',
  (value) => typeof value === 'boolean',
  (value) =>
    typeof value === 'string' && /^(true|false)$/i.test(value)
      ? `pass ${value.toLowerCase()}, without quotes`
      : 'pass one of these',
);

/** @param unit factory method of `Duration`, for the advice */
export function duration(unit: 'seconds' | 'minutes' | 'days', example: number): Check {
  return kind(
    'a Duration',
    hasMethods('toSeconds', 'isUnresolved'),
    (value) => `use Duration.${durationCall(value, unit) ?? `${unit}(${example}), for example`}`,
  );
}

export const SIZE = kind(
  'a Size',
  hasMethods('toBytes', 'isUnresolved'),
  (value) => `use Size.${sizeCall(value) ?? 'mebibytes(1024), for example'}`,
);

export const BUCKET = kind(
  'a bucket (s3.IBucket)',
  isResource('bucketArn', 'grantRead'),
  "import it with s3.Bucket.fromBucketName(this, 'MyBucket', name)",
);

export const KEY = kind(
  'a KMS key (kms.IKey)',
  isResource('keyArn', 'grantDecrypt'),
  "import it with kms.Key.fromKeyArn(this, 'MyKey', arn)",
);

export const FUNCTION = kind(
  'a function (lambda.IFunction)',
  isResource('functionArn', 'grantInvoke'),
  "import it with lambda.Function.fromFunctionArn(this, 'MyFunction', arn)",
);

export const VPC = kind(
  'a VPC (ec2.IVpc)',
  isResource('vpcId', 'selectSubnets'),
  "import it with ec2.Vpc.fromLookup(this, 'MyVpc', { vpcId })",
);

export const SECURITY_GROUP = kind(
  'a security group (ec2.ISecurityGroup)',
  isResource('securityGroupId', 'addIngressRule'),
  "import it with ec2.SecurityGroup.fromSecurityGroupId(this, 'MyGroup', id)",
);

export const ARCHITECTURE = kind('a lambda.Architecture', isNamed, (value) =>
  value === 'arm64' ? 'use lambda.Architecture.ARM_64' : 'use lambda.Architecture.X86_64 or ARM_64',
);

export const RUNTIME = kind('a lambda.Runtime', isNamed, (value) => {
  const version = typeof value === 'string' ? /^nodejs(\d+)\.x$/.exec(value)?.at(1) : undefined;
  const constant = `NODEJS_${version ?? '24'}_X`;
  // CDK has no constant for a runtime that is newer than CDK itself.
  return constant in lambda.Runtime
    ? `use lambda.Runtime.${constant}`
    : `use new lambda.Runtime('nodejs${version}.x', lambda.RuntimeFamily.NODEJS)`;
});

export const GRANTEE = kind(
  'a principal (iam.IGrantable)',
  (value) => hasMethods('addToPrincipalPolicy')(memberValue(value, 'grantPrincipal')),
  'pass a role, a user or a function',
);

export const CONSTRUCT = kind('a construct', isConstruct, 'pass your stack, for example');

export const PIPELINE = kind(
  'a SlicedInferencePipeline',
  (value) =>
    isConstruct(value) && has('stateMachine', 'functions')(value) && hasMethods('metricStarted')(value),
  'pass the construct itself',
);

/**
 * A member of an enumeration, which has the name `type` in code.
 */
export function memberOf(type: string, members: object): Check {
  // Enumerations of numbers also have the names of their members as values.
  const entries = Object.entries(members).filter(([name]) => Number.isNaN(Number(name)));
  const values = entries.map(([, value]: [string, unknown]) => value);
  const isNumeric = values.some((value) => typeof value === 'number');
  return kind(
    isNumeric ? `one of ${type}` : `one of ${values.join(', ')}`,
    (value) => values.includes(value) || (isNumeric && isToken(value)),
    (value) => {
      const name = typeof value === 'string' ? nearestMember(value, entries) : undefined;
      return name === undefined ? `use a member of ${type}` : `use ${type}.${name}`;
    },
  );
}

/** Whether a value is an object with all of these members. */
export function has(...names: string[]): (value: unknown) => boolean {
  return (value) => typeof value === 'object' && value !== null && names.every((name) => name in value);
}

/** Whether a value is an object with all of these methods. */
export function hasMethods(...names: string[]): (value: unknown) => boolean {
  return (value) => names.every((name) => typeof memberValue(value, name) === 'function');
}

/** Whether a value is a construct with the attribute and the method that a created or imported resource has. */
function isResource(attribute: string, method: string): (value: unknown) => boolean {
  return (value) => isConstruct(value) && has(attribute)(value) && hasMethods(method)(value);
}

function isConstruct(value: unknown): boolean {
  return hasMethods('addDependency')(memberValue(value, 'node'));
}

/** Functions have members too, but a class in place of its instance is a mistake. */
function memberValue(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Whether a value is an object with a name: a class has a name too. */
function isNamed(value: unknown): boolean {
  return has('name')(value) && typeof (value as { name: unknown }).name === 'string';
}

function nearestMember(value: string, entries: readonly [string, unknown][]): string | undefined {
  const name = nearest(
    value,
    entries.flatMap(([member, own]) => [member, String(own)]),
  );
  return entries.find(([member, own]) => member === name || String(own) === name)?.[0];
}

function isToken(value: unknown): boolean {
  return Token.isUnresolved(value);
}

function isNumeral(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
}
