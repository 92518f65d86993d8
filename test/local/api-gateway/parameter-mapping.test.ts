import {
  type MappedRequest,
  parameterValue,
  parseParameter,
} from '../../../local/api-gateway/parameter-mapping';

const REQUEST: MappedRequest = {
  headers: { 'x-name': 'mine' },
  query: new URLSearchParams('a=1&a=2'),
  variables: { name: 'photo' },
  body: Buffer.from('{"text":"hello","list":[{"n":1}],"object":{"a":true}}'),
};

function valueOf(expression: string, request: MappedRequest = REQUEST): string | undefined {
  return parameterValue(parseParameter(expression, 'a test'), request);
}

test.each([
  ['a constant', 'a constant'],
  ['$request.body', REQUEST.body.toString()],
  ['$request.body.text', 'hello'],
  ['$request.body.list[0].n', '1'],
  ['$request.body.object', '{"a":true}'],
  ['$request.body.missing.field', undefined],
  ['$request.body.toString', undefined],
  ['$request.header.X-Name', 'mine'],
  ['$request.header.other', undefined],
  ['$request.querystring.a', '1,2'],
  ['$request.querystring.b', undefined],
  ['$request.path.name', 'photo'],
  ['$request.path.constructor', undefined],
])('%s has the value %j', (expression, expected) => {
  expect(valueOf(expression)).toBe(expected);
});

test('a body has no fields if it is empty, not JSON, or larger than 100 KB', () => {
  const body = (content: string): MappedRequest => ({ ...REQUEST, body: Buffer.from(content) });
  expect(valueOf('$request.body', body(''))).toBeUndefined();
  expect(valueOf('$request.body.text', body('text'))).toBeUndefined();
  const large = JSON.stringify({ text: 'hello', more: 'x'.repeat(102_400) });
  expect(valueOf('$request.body.text', body(large))).toBeUndefined();
  expect(valueOf('$request.body', body(large))).toBe(large);
});

test.each([
  '$context.authorizer.claims.sub',
  '$context.requestId',
  '$request.body..name',
  '$stageVariables.a',
  'a ${request.path.b}',
  '$',
])('the expression %s is refused', (expression) => {
  expect(() => parseParameter(expression, 'a test')).toThrow(
    /^the local cloud does not support the (expression|parameter)/,
  );
});
