import { Template } from '../../../local/cloudformation/template';
import { AsynchronousCalls, readAsynchronousSettings } from '../../../local/lambda/asynchronous-calls';
import { StateError } from '../../../local/step-functions/state-error';

const SETTINGS = { maxRetries: 2, maxAgeSeconds: 21_600 };

const FAILURE = new StateError('SliceFailed', 'why');
const THROTTLE = new StateError('Lambda.TooManyRequestsException', 'Rate Exceeded.');

/** Calls that fail with these errors, one after the other, and then succeed. Returns the seconds at which Lambda made them. */
async function attempts(errors: Error[], settings = SETTINGS): Promise<number[]> {
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
    return error ? Promise.reject(error) : Promise.resolve();
  });
  await calls.settled();
  return times;
}

const times = (count: number, error: Error): Error[] => Array<Error>(count).fill(error);

test.each([
  ['that succeeds is made once', [], SETTINGS, [0]],
  ['that fails is made again after one minute and after two more', times(4, FAILURE), SETTINGS, [0, 60, 180]],
  ['without retries is made once', [FAILURE], { ...SETTINGS, maxRetries: 0 }, [0]],
  [
    'that is throttled is repeated until it is too old, whatever the number of retries',
    times(20, THROTTLE),
    { maxRetries: 0, maxAgeSeconds: 60 },
    [0, 1, 3, 7, 15, 31],
  ],
])('a call %s', async (_, errors, settings, expected) => {
  expect(await attempts(errors, settings)).toEqual(expected);
});

test('throttled calls wait at most five minutes', async () => {
  expect((await attempts(times(11, THROTTLE))).slice(-3)).toEqual([511, 811, 1111]);
});

test('the end of the local cloud ends a pause', async () => {
  const calls = new AsynchronousCalls();
  calls.add(SETTINGS, () => Promise.reject(FAILURE));
  calls.close();
  await calls.settled();
});

describe('the settings of a template', () => {
  const read = (properties: object, called: string, qualifier: string) => {
    const fn = { Type: 'AWS::Lambda::Function' };
    const config = {
      Type: 'AWS::Lambda::EventInvokeConfig',
      Properties: { FunctionName: { Ref: 'Mine' }, Qualifier: '$LATEST', ...properties },
    };
    const environment = { account: '000000000000', region: 'us-east-1' };
    const template = { Resources: { Mine: fn, Other: fn, Config: config } };
    return readAsynchronousSettings(new Template({ name: 'S', environment, template }), called, qualifier);
  };

  test.each([
    ['Mine', '$LATEST', { maxRetries: 0, maxAgeSeconds: 60 }],
    ['Mine', '7', SETTINGS],
    ['Other', '$LATEST', SETTINGS],
  ])('are those of the function and the version: %s %s', (called, qualifier, expected) => {
    const own = { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 };
    expect(read(own, called, qualifier)).toEqual(expected);
  });

  test('have defaults, and refuse destinations by name', () => {
    expect(read({}, 'Mine', '$LATEST')).toEqual(SETTINGS);
    const destination = { DestinationConfig: { OnFailure: { Destination: 'arn:queue' } } };
    expect(() => read(destination, 'Mine', '$LATEST')).toThrow('DestinationConfig');
  });
});
