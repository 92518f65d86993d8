import { matchRoute, parseRouteKey } from '../../../local/api-gateway/routes';

const ROUTES = [
  'GET /pets/dog/1',
  'GET /pets/dog/{id}',
  'GET /pets/{proxy+}',
  'ANY /{proxy+}',
  'ANY /pets/dog/{id}',
  'POST /',
  '$default',
].map((text) => ({ key: parseRouteKey(text, 'a test') }));

function find(method: string, path: string, routes = ROUTES) {
  const match = matchRoute(routes, method, path.slice(1).split('/'));
  return match && [match.route.key.text, match.variables];
}

// The examples of https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
test.each([
  ['GET', '/pets/dog/1', ['GET /pets/dog/1', {}]],
  ['GET', '/pets/dog/2', ['GET /pets/dog/{id}', { id: '2' }]],
  ['GET', '/pets/cat/1', ['GET /pets/{proxy+}', { proxy: 'cat/1' }]],
  ['POST', '/test/5', ['ANY /{proxy+}', { proxy: 'test/5' }]],
  ['POST', '/pets/dog/7', ['ANY /pets/dog/{id}', { id: '7' }]],
  ['POST', '/', ['POST /', {}]],
  ['GET', '/', ['$default', {}]],
])('%s %s takes the best route', (method, path, expected) => {
  expect(find(method, path)).toEqual(expected);
});

test('a request that fits no route has none', () => {
  const routes = ROUTES.filter(({ key }) => key.text.startsWith('GET /pets/dog'));
  expect(find('GET', '/pets', routes)).toBeUndefined();
  expect(find('GET', '/pets/dog', routes)).toBeUndefined();
  expect(find('GET', '/pets/dog/', routes)).toBeUndefined();
  expect(find('GET', '/pets/dog/1/2', routes)).toBeUndefined();
  expect(find('PUT', '/pets/dog/1', routes)).toBeUndefined();
});

test.each(['$connect', 'post /a', 'GET a', 'GET /a b', ''])('the route key %j is refused', (text) => {
  expect(() => parseRouteKey(text, 'a test')).toThrow(
    `the local cloud does not support the route key '${text}' of a test`,
  );
});
