import { isOnThisMachine } from '../../../client/aws/step-functions';

it.each([
  ['http://127.0.0.1:4566', true],
  ['http://localhost:4566', true],
  ['http://sfn.localhost:4566', true],
  ['http://[::1]:4566', true],
  ['https://127.0.0.1.example.com', false],
  ['https://states.us-east-1.amazonaws.com', false],
  ['no URL', false],
  [undefined, false],
])('the host of StartSyncExecution has no prefix for the endpoint %s: %s', (endpoint, expected) => {
  expect(isOnThisMachine(endpoint)).toBe(expected);
});
