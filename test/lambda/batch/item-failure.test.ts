/** Reasons of failures, as Step Functions and the functions report them. */
import { failureOfCause, failureOfItem, isOfItem } from '../../../lambda/batch/item-failure';
import { MAX_ITEMS_PER_RUN, MAX_MAP_ITEMS } from '../../../lib/cost/batch-limits';
import { invalidInput, NamedFailure, sliceFailed } from '../../../lambda/errors';

const ofSlice = JSON.stringify({ slice: 1, message: 'the reason' });

it.each<[string, string | undefined, string | undefined, string, string]>([
  ['a slice', 'SliceFailed', JSON.stringify({ errorMessage: ofSlice }), 'SliceFailed', 'the reason'],
  ['a function of the user', 'TypeError', '{"errorMessage":"no picture"}', 'TypeError', 'no picture'],
  ['a pack', 'InvalidInput', ofSlice, 'InvalidInput', 'the reason'],
  ['a killed function', 'Runtime.ExitError', 'exit status 7', 'Runtime.ExitError', 'exit status 7'],
  ['an error with two lines', 'E', 'a\n\tb', 'E', 'a b'],
  ['JSON that says no reason', 'E', '{"errorMessage":7,"message":8}', 'E', '{"errorMessage":7,"message":8}'],
  ['nothing', undefined, undefined, 'Unknown', 'the run failed without a reason'],
  ['empty texts', '', '', 'Unknown', 'the run failed without a reason'],
])('the failure of %s has its name and its reason', (_, name, cause, error, message) => {
  expect(failureOfCause(name, cause)).toEqual({ error, message });
});

it('long names and reasons are cut', () => {
  const { error, message } = failureOfCause('e'.repeat(121), 'm'.repeat(401));
  expect([error, message]).toEqual([`${'e'.repeat(119)}…`, `${'m'.repeat(399)}…`]);
});

it.each(['m', '"', '界', '\u{1f600}', '\ud800'])(
  'the failures of the items of the largest pack fit into its state, of names and reasons of %j',
  (character) => {
    const failure = failureOfItem(character.repeat(200), character.repeat(500));
    const failed = Array.from({ length: MAX_ITEMS_PER_RUN }, () => ({ items: [MAX_MAP_ITEMS], ...failure }));
    const bytes = Buffer.byteLength(JSON.stringify(failed));
    expect(bytes).toBeLessThan(200 * 1024);
    expect(bytes).toBeGreaterThan(190 * 1024);
    expect(failure.cause.endsWith('…')).toBe(true);
  },
);

it('a short name leaves more room for the reason', () => {
  const whole = { error: 'SliceFailed', cause: 'm'.repeat(345) };
  expect(failureOfItem(whole.error, whole.cause)).toEqual(whole);
});

it('a bad request or a damaged tensor concerns its item, and everything else concerns all items', () => {
  const errors = [
    invalidInput('x'),
    new NamedFailure('CorruptTensor', { message: 'x' }),
    sliceFailed('x'),
    new NamedFailure('StorageUnavailable', { message: 'x' }),
    Object.assign(new Error('x'), { name: 'InvalidInput' }),
  ];
  expect(errors.map((error) => isOfItem(error))).toEqual([true, true, false, false, false]);
});
