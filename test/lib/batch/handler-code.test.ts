/** Which changes of a pipeline's handlers a batch notices. */
import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { handlerDigest, isUnversioned } from '../../../lib/batch/handler-code';

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
  const digest = handlerDigest([used(fn)]);
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

it('an imported function has a version, or the app does not know its code', () => {
  const stack = new Stack(new App(), 'Stack');
  const arn = 'arn:aws:lambda:eu-central-1:123456789012:function:f';
  const imported = (own: string) => lambda.Function.fromFunctionArn(stack, `F${own}`, `${arn}${own}`);
  expect([imported(''), imported(':7'), functionIn(stack)].map(isUnversioned)).toEqual([true, false, false]);
  expect(isUnversioned(lambda.Function.fromFunctionName(stack, 'Named', 'f'))).toBe(true);
  const digests = [':8', ':9'].map((own) => stack.resolve(handlerDigest([imported(own)])) as string);
  expect(new Set(digests).size).toBe(2);
  expect(handlerDigest([])).toBeUndefined();
});
