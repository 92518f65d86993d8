import fc from 'fast-check';
import { matchesArn, matchesPattern } from '../../../local/iam/conditions';

describe('matchesPattern', () => {
  test('agrees with a regular expression', () => {
    const letters = fc.constantFrom('a', 'A', '.', '*', '?');
    const pattern = fc.string({ unit: letters, maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'A', '.'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (given, compared) => {
        const expression = new RegExp(
          `^${given.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`,
        );
        expect(matchesPattern(given, compared)).toBe(expression.test(compared));
      }),
      { numRuns: 1000 },
    );
  });

  test('takes no exponential time for many stars', () => {
    expect(matchesPattern('*a'.repeat(40), 'a'.repeat(39))).toBe(false);
  });
});

test.each([
  ['*', 'arn:aws:s3:::bucket/key', true],
  ['arn:aws:s3:::bucket/*', 'arn:aws:s3:::bucket/a/b:c', true],
  ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket/key', false],
  ['arn:aws:lambda:*:1:function:f:*', 'arn:aws:lambda:us-east-1:1:function:f:3', true],
  ['arn:aws:lambda:*:1:function:f:*', 'arn:aws:lambda:us-east-1:1:function:f', false],
  // A wildcard stays within its field.
  ['arn:aws:lambda:*:function:f', 'arn:aws:lambda:us-east-1:1:function:f', false],
  ['arn:aws:sqs', 'arn:aws:sqs:us-east-1:1:queue', true],
])('matchesArn compares %s with %s: %s', (pattern, arn, matches) => {
  expect(matchesArn(pattern, arn)).toBe(matches);
});
