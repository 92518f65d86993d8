/** The longest values that references may have, and what of them is certain. */
import { Aws, CfnParameter, Fn, Stack, Stage } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { deployedLength } from '../../../lib/aws/deployed-length';
import { newStack } from '../../support/pipeline-stack';

const functionIn = (stack: Stack): lambda.Function =>
  new lambda.Function(stack, 'Function', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => undefined;'),
  });
const bucketIn = (stack: Stack): s3.Bucket => new s3.Bucket(stack, 'Bucket');
const parameterIn = (stack: Stack): string => new CfnParameter(stack, 'Parameter').valueAsString;

/** Stands for characters that only the deployment knows. */
const any = (characters: number): string => '~'.repeat(characters);
const [ACCOUNT, REGION, PARTITION] = ['111122223333', 'us-isof-south-1', 'aws-us-gov'].map(({ length }) =>
  any(length),
);
const arn = (service: string, resource: string): string =>
  `arn:${PARTITION}:${service}:${REGION}:${ACCOUNT}:${resource}`;
const FUNCTION = arn('lambda', `function:${any(64)}`);

test.each<[string, (stack: Stack) => unknown, string]>([
  ['text', () => 'text', 'text'],
  ['what is no text, as JSON', () => [{ a: 'é' }, 1, true], '[{"a":"é"},1,true]'],
  ['a function', (stack) => functionIn(stack).functionArn, FUNCTION],
  ['objects', (stack) => bucketIn(stack).arnForObjects('k'), `arn:${PARTITION}:s3:::${any(63)}/k`],
  ['a bucket of another stack', (stack) => bucketIn(new Stack(Stage.of(stack), 'Other')).bucketName, any(63)],
  ['a key', (stack) => new kms.Key(stack, 'Key').keyArn, arn('kms', `key/${any(36)}`)],
  ['a log group', (stack) => new logs.LogGroup(stack, 'Logs').logGroupName, any(512)],
  [
    'the bucket of assets',
    () => Fn.sub('cdk-${AWS::AccountId}-${AWS::Region}-${!kept}'),
    `cdk-${ACCOUNT}-${REGION}-\${kept}`,
  ],
  [
    'a variable of Fn::Sub',
    (stack) => Fn.sub('${A}/${B.C}', { A: functionIn(stack).functionName }),
    `${any(64)}/${any(256)}`,
  ],
  ['the UUID of the stack', () => Fn.select(2, Fn.split('/', Aws.STACK_ID)), any(36)],
  ['a parameter', (stack) => `a${parameterIn(stack)}`, `a${any(256)}`],
  ['a part of a parameter', (stack) => Fn.select(5, Fn.split(':', parameterIn(stack))), any(256)],
  ['a value of another stack', () => Fn.importValue('Name'), any(256)],
  ['a choice', () => Fn.conditionIf('C', 'x'.repeat(300), ''), any('["C","",""]'.length + 300)],
  ['a secret', () => ({ a: '{{resolve:secretsmanager:name}}' }), `{"a":"${any(256)}"}`],
  ['no value', () => ({ a: Aws.NO_VALUE }), '{"a":""}'],
  ['JSON text', (stack) => stack.toJsonString({ a: functionIn(stack).functionArn }), `{"a":"${FUNCTION}"}`],
])('the length of %s is that of the longest value', (_, value, longest) => {
  const stack = newStack();
  expect(deployedLength(stack, value(stack))).toEqual({
    most: Buffer.byteLength(longest),
    least: Buffer.byteLength(longest.replaceAll('~', '')),
  });
});
