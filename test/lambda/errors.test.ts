import type { FailureCause } from '../../contract/failures';
import { failureOf, invalidInput } from '../../lambda/errors';

function causeOf(error: unknown): FailureCause {
  return JSON.parse(failureOf(error, 3).message) as FailureCause;
}

describe('a failure', () => {
  it('has its error name as name and a JSON cause as message', () => {
    const error = failureOf(invalidInput('no', { tensor: 'x', expected: 'a', got: 'b' }), 3);
    expect(error.name).toBe('InvalidInput');
    expect(JSON.parse(error.message)).toEqual({
      slice: 3,
      message: 'no',
      tensor: 'x',
      expected: 'a',
      got: 'b',
    });
  });

  it('is SliceFailed if the thrown value has no error name', () => {
    expect(failureOf(new Error('broke'), 3).name).toBe('SliceFailed');
    expect(causeOf('text').message).toBe('text');
  });

  it('has no stack trace', () => {
    expect(failureOf(new Error('broke'), 3).stack).toBe('SliceFailed');
    expect(causeOf(new Error('line 1\n  at line 2')).message).toBe('line 1 at line 2');
  });

  it.each([['x'], ['\u0001'], ['"'], ['\ud800']])(
    'stays within 1000 characters if its texts are long runs of %j',
    (character) => {
      const long = character.repeat(10_000);
      const error = failureOf(invalidInput(long, { tensor: long, expected: long, got: long }), 3);
      expect(error.message.length).toBeLessThanOrEqual(1000);
      expect(JSON.parse(error.message)).toMatchObject({ slice: 3 });
    },
  );

  it('has no control characters in its texts', () => {
    expect(causeOf(invalidInput('a\u0085b\u007fc\u0000d', { got: '\u009b31m' }))).toMatchObject({
      message: 'a b c d',
      got: '31m',
    });
  });

  it('says what to do if the disk is full', () => {
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    expect(causeOf(full).message).toContain('raise its ephemeral storage size');
  });
});
