import { parseFailureCause } from '../../client';

const own = { slice: 2, message: 'why', tensor: 'x', expected: 'a', got: 'b' };

describe('the cause of a failed execution', () => {
  it.each([
    ['of a state of the pipeline', JSON.stringify(own)],
    ['that Lambda wrapped', JSON.stringify({ errorType: 'E', errorMessage: JSON.stringify(own), trace: [] })],
  ])('%s has the fields of the function', (_, cause) => {
    expect(parseFailureCause(cause)).toEqual(own);
  });

  it.each([
    ['a text', 'Task timed out', 'Task timed out'],
    ['JSON that is not an object', '[1]', '[1]'],
    ['JSON of another program', '{"a":1}', '{"a":1}'],
    ['an error of Lambda', '{"errorType":"Sandbox.Timedout","errorMessage":"timed out"}', 'timed out'],
  ])('is %s, which becomes the message', (_, cause, message) => {
    expect(parseFailureCause(cause)).toEqual({ message });
  });

  it('never has fields of other types', () => {
    const cause = JSON.stringify({ slice: 'a', step: 'b', message: 'why', tensor: 1, more: true, got: null });
    expect(parseFailureCause(cause)).toEqual({ message: 'why' });
  });
});
