import { S3ServiceException } from '@aws-sdk/client-s3';
import { CallDeadline } from '../../../lambda/store/limits';
import { retried } from '../../../lambda/store/retry';
import { SANDBOX_RETRY } from '../../../lib/aws/workflow/invoke-function';

const object = { bucket: 'b', key: 'k' };

/** A clock that moves only while somebody waits. */
class Clock {
  private time = 0;
  readonly pauses: number[] = [];

  now(): number {
    return this.time;
  }

  pause(milliseconds: number): Promise<void> {
    this.pauses.push(milliseconds);
    this.time += milliseconds;
    return Promise.resolve();
  }
}

function refusal(name = 'SlowDown', status = 503): S3ServiceException {
  const message = 'Please reduce your request rate.';
  return new S3ServiceException({ name, message, $fault: 'server', $metadata: { httpStatusCode: status } });
}

/** Requests to an S3 that refuses them at some times. */
function requests(clock: Clock, isRefused: (milliseconds: number) => boolean) {
  const sent: number[] = [];
  const request = () => {
    sent.push(clock.now());
    return isRefused(clock.now()) ? Promise.reject(refusal()) : Promise.resolve('done');
  };
  return { sent, run: () => retried(object, { clock }, request) };
}

describe('requests that S3 refuses', () => {
  it('outlast refusals for three seconds in every six, whenever they start', async () => {
    for (let start = 0; start < 6_000; start += 250) {
      const clock = new Clock();
      const { run } = requests(clock, (time) => (time + start) % 6_000 < 3_000);
      expect(await run()).toBe('done');
    }
  });

  it('outlast half a minute together with the retries of the state machine', async () => {
    const { run } = requests(new Clock(), (time) => time < 30_000);
    // The machine waits a random time, which may be nearly zero.
    const call = (retries: number): Promise<string> =>
      retries === 0 ? run() : run().catch(() => call(retries - 1));
    expect(await call(SANDBOX_RETRY.maxAttempts ?? 0)).toBe('done');
  });

  it('fail with a name, the reason and the time that they lasted', async () => {
    const clock = new Clock();
    await expect(requests(clock, () => true).run()).rejects.toMatchObject({
      name: 'StorageUnavailable',
      message: expect.stringMatching(
        /^S3 refused s3:\/\/b\/k for 1[2-4] seconds: SlowDown: Please reduce your request rate\.: start the execution again$/,
      ) as unknown,
    });
  });

  it('are repeated after growing pauses of random length, so that functions do not retry at the same moment', async () => {
    const runs = [new Clock(), new Clock()];
    for (const clock of runs) {
      await expect(requests(clock, () => true).run()).rejects.toThrow();
      clock.pauses.forEach((pause, index) => {
        const longest = Math.min(2_000, 50 * 2 ** index);
        expect(pause).toBeGreaterThanOrEqual(longest / 2);
        expect(pause).toBeLessThanOrEqual(longest);
      });
    }
    expect(runs[0].pauses).not.toEqual(runs[1].pauses);
  });

  it('are repeated at least twice, even if each of them takes long', async () => {
    const clock = new Clock();
    let sent = 0;
    const slow = async (): Promise<never> => {
      sent++;
      await clock.pause(20_000);
      throw new Error('no answer');
    };
    await expect(retried(object, { clock }, slow)).rejects.toMatchObject({ name: 'StorageUnavailable' });
    expect(sent).toBe(3);
  });

  it('end before the call does, so that the function can say why it fails', async () => {
    const clock = new Clock();
    const deadline = new CallDeadline(clock);
    deadline.start(5_000);
    const refused = () => Promise.reject(refusal());
    await expect(retried(object, { clock, deadline }, refused)).rejects.toMatchObject({
      name: 'StorageUnavailable',
    });
    expect(clock.now()).toBeGreaterThan(1_000);
    expect(clock.now()).toBeLessThan(4_000);
    // The next call has its own time.
    deadline.start(900_000);
    const again = clock.now();
    await expect(retried(object, { clock, deadline }, refused)).rejects.toThrow();
    expect(clock.now() - again).toBeGreaterThan(11_000);
  });

  it.each<[string, Error, number]>([
    ['ThrottlingException of status 400', refusal('ThrottlingException', 400), 2],
    ['RequestTimeout of status 400', refusal('RequestTimeout', 400), 2],
    ['a request that S3 refuses for good', refusal('InvalidRequest', 400), 1],
    ['a request that the program cannot even send', new URIError('URI malformed'), 1],
    ['no credentials', Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), 1],
  ])('are repeated only if that may help: for %s', async (_, error, expected) => {
    let sent = 0;
    const request = () => (++sent === 1 ? Promise.reject(error) : Promise.resolve('done'));
    const result = await retried(object, { clock: new Clock() }, request).catch((thrown: unknown) => thrown);
    expect(result).toBe(expected === 1 ? error : 'done');
    expect(sent).toBe(expected);
  });
});
