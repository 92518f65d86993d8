/** Which changes of a pipeline's handlers a batch notices. */
import { App, CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { codeIdentity, isUnversioned, versionToCall } from '../../../lib/batch/handler-code';

interface Handler {
  readonly code?: string;
  readonly variables?: Record<string, string>;
}

function functionIn(stack: Stack, { code = '1', variables = {} }: Handler = {}): lambda.Function {
  const fn = new lambda.Function(stack, 'Handler', {
    ...{ runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler' },
    code: lambda.Code.fromInline(`exports.handler = () => ${code};`),
  });
  for (const [name, value] of Object.entries(variables)) fn.addEnvironment(name, value);
  return fn;
}

const digestOf = (
  handler: Handler,
  used: (fn: lambda.Function) => lambda.IFunction = (fn) => fn,
): unknown => {
  const stack = new Stack(new App(), 'Stack');
  const fn = functionIn(stack, handler);
  const digest = codeIdentity(used(fn));
  // After the digest, as an app may.
  fn.addEnvironment('LATE', handler.variables?.LATE ?? '');
  return stack.resolve(digest);
};

it.each<[what: string, (fn: lambda.Function) => lambda.IFunction]>([
  ['a function', (fn) => fn],
  ['its version', (fn) => fn.currentVersion],
  ['an alias of it', (fn) => fn.addAlias('live')],
])('other code or settings of %s make another digest', (_, used) => {
  const handlers: Handler[] = [
    {},
    {},
    { code: '2' },
    { variables: { A: '1' } },
    { variables: { LATE: '1' } },
  ];
  const digests = handlers.map((own) => digestOf(own, used));
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(digests[1]).toBe(digests[0]);
  expect(new Set(digests).size).toBe(4);
});

const ARN = 'arn:aws:lambda:eu-central-1:123456789012:function:f';

const imported = (stack: Stack, version: string): lambda.IFunction =>
  lambda.Function.fromFunctionArn(stack, `F${version}`, `${ARN}${version}`);

it('an imported function has a version, or a deployment changes its code', () => {
  const stack = new Stack(new App(), 'Stack');
  const named = lambda.Function.fromFunctionName(stack, 'Named', 'f');
  const [unversioned, versioned] = ['', ':7'].map((own) => versionToCall(imported(stack, own), stack));
  expect([unversioned, versioned].map(({ target }) => isUnversioned(target))).toEqual([true, false]);
  expect([unversioned, versioned].map(({ grantedArns }) => grantedArns)).toEqual([[ARN], [`${ARN}:7`]]);
  expect(isUnversioned(versionToCall(named, stack).target)).toBe(true);
  expect([':8', ':9'].map((own) => codeIdentity(imported(stack, own)))).toEqual([`${ARN}:8`, `${ARN}:9`]);
});

it('an imported version whose ARN is known at the deployment counts by this ARN', () => {
  const stack = new Stack(new App(), 'Stack');
  const { valueAsString } = new CfnParameter(stack, 'VersionArn');
  const version = lambda.Version.fromVersionArn(stack, 'Version', valueAsString);
  const { target } = versionToCall(version, stack);
  expect(isUnversioned(target)).toBe(false);
  expect(stack.resolve(codeIdentity(target))).toEqual({ Ref: 'VersionArn' });
  const within = lambda.Function.fromFunctionArn(stack, 'Within', `${Fn.importValue('Arn')}:7`);
  expect(isUnversioned(within)).toBe(false);
});

describe('a batch calls', () => {
  it.each<[what: string, (fn: lambda.Function) => lambda.IFunction]>([
    ['a function', (fn) => fn],
    ['its version', (fn) => fn.currentVersion],
    ['an alias of it', (fn) => fn.addAlias('live')],
  ])('the version of the template for %s, which stays after the next deployment', (_, used) => {
    const versions = ['1', '2'].map((code) => {
      const stack = new Stack(new App(), 'Stack');
      const fn = functionIn(stack, { code });
      const { target, grantedArns } = versionToCall(used(fn), stack);
      expect(isUnversioned(target)).toBe(false);
      const template = Template.fromStack(stack);
      const [[id, version], ...others] = Object.entries(template.findResources('AWS::Lambda::Version'));
      expect(others).toEqual([]);
      expect(stack.resolve(target.functionArn)).toEqual({ Ref: id });
      expect(version).toMatchObject({
        DeletionPolicy: 'RetainExceptOnCreate',
        UpdateReplacePolicy: 'Retain',
      });
      // Executions in progress call earlier versions.
      expect(stack.resolve(grantedArns)).toEqual([
        { 'Fn::Join': ['', [stack.resolve(fn.functionArn), ':*']] },
      ]);
      return id;
    });
    expect(new Set(versions).size).toBe(2);
  });

  it('the function itself if it is in another stack, whose exports CloudFormation does not replace', () => {
    const app = new App();
    const [own, other] = [new Stack(app, 'Own'), new Stack(app, 'Other')];
    const fn = functionIn(other);
    const { target } = versionToCall(fn, own);
    expect([target, isUnversioned(target)]).toEqual([fn, true]);
    Template.fromStack(other).resourceCountIs('AWS::Lambda::Version', 0);
    const { target: version } = versionToCall(fn.currentVersion, own);
    expect(isUnversioned(version)).toBe(false);
  });
});
