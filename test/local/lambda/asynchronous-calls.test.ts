import { AsynchronousCalls } from '../../../local/lambda/asynchronous-calls';
import { StateError } from '../../../local/step-functions/state-error';

const SETTINGS = { maxRetries: 2, maxAgeSeconds: 21_600 };

const failure = () => new StateError('SliceFailed', 'why');
const throttle = () => new StateError('Lambda.TooManyRequestsException', 'Rate Exceeded.');

/** Calls that fail with these errors, one after the other, and then succeed. Returns the seconds at which Lambda made them. */
async function attempts(errors: (() => Error)[], settings = SETTINGS): Promise<number[]> {
  let now = 0;
  const clock = {
    now: () => now,
    sleep: (milliseconds: number) => {
      now += milliseconds;
      return Promise.resolve();
    },
  };
  const calls = new AsynchronousCalls(clock);
  const times: number[] = [];
  calls.add(settings, () => {
    times.push(now / 1000);
    const error = errors.shift();
    return error ? Promise.reject(error()) : Promise.resolve();
  });
  await calls.settled();
  return times;
}

test('a call that succeeds is made once', async () => {
  expect(await attempts([])).toEqual([0]);
});

test('a function that fails is called twice more, after one minute and after two more', async () => {
  expect(await attempts([failure, failure, failure, failure])).toEqual([0, 60, 180]);
});

test('a function without retries that fails is called once', async () => {
  expect(await attempts([failure], { ...SETTINGS, maxRetries: 0 })).toEqual([0]);
});

test('a throttled call is repeated until it is too old, whatever the number of retries', async () => {
  const throttled = Array.from({ length: 20 }, () => throttle);
  expect(await attempts(throttled, { maxRetries: 0, maxAgeSeconds: 60 })).toEqual([0, 1, 3, 7, 15, 31]);
});

test('throttled calls wait at most five minutes', async () => {
  const throttled = Array.from({ length: 11 }, () => throttle);
  const times = await attempts(throttled);
  expect(times.slice(-3)).toEqual([511, 811, 1111]);
});

test('the end of the local cloud ends a pause', async () => {
  const calls = new AsynchronousCalls();
  calls.add(SETTINGS, () => Promise.reject(failure()));
  calls.close();
  await calls.settled();
});
