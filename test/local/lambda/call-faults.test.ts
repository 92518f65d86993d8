import type { FaultKind } from '../../../local/faults/kinds';
import { FaultInjector, type InjectedFault } from '../../../local/faults/injector';
import { callWithFaults, startWithFaults } from '../../../local/lambda/call-faults';
import { StateError } from '../../../local/step-functions/state-error';

const CALL = {
  functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:slice-00:3',
  payload: { run: 'machine/name/1', version: 1 },
};

/** Calls a function that counts its calls, while a kind of fault always strikes. */
async function call(kind: FaultKind, answer: (call: number) => Promise<string>, seed = 1) {
  const faults: InjectedFault[] = [];
  const injector = new FaultInjector({ seed, rates: { [kind]: 1 } }, (fault) => faults.push(fault));
  let calls = 0;
  const outcome = await callWithFaults(injector, CALL, async () => ({
    payload: await answer(calls++),
    executedVersion: '3',
  })).then(
    ({ payload }) => payload as string,
    (error: unknown) => (error instanceof StateError ? (error.error ?? '') : String(error)),
  );
  return { outcome, calls, faults: faults.map(({ kind, run, place }) => [kind, run, place]) };
}

const answered = (): Promise<string> => Promise.resolve('answer');

describe('a call of a function', () => {
  it('that is throttled does not reach the function', async () => {
    expect(await call('throttled', answered)).toEqual({
      outcome: 'Lambda.TooManyRequestsException',
      calls: 0,
      faults: [['throttled', 'machine/name/1', 'slice-00']],
    });
  });

  it('that fails does so with each of the errors of the service', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, seed) => call('failing', answered, seed)),
    );
    expect(new Set(outcomes.map(({ outcome, calls }) => `${outcome} ${calls}`))).toEqual(
      new Set(['Lambda.ServiceException 0', 'Lambda.SdkClientException 0', 'Lambda.AWSLambdaException 0']),
    );
  });

  it('whose result is lost runs the function once', async () => {
    const lost = { outcome: 'Lambda.ClientExecutionTimeoutException', calls: 1 };
    expect(await call('lost-result', answered)).toMatchObject(lost);
    const failing = (): Promise<string> => Promise.reject(new StateError('SliceFailed', '{}'));
    expect(await call('lost-result', failing)).toMatchObject(lost);
  });

  it('that is delivered twice runs the function twice, and the result of either counts', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, seed) =>
        call('duplicate-delivery', (number) => Promise.resolve(`answer ${number}`), seed),
      ),
    );
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['answer 0', 'answer 1']));
    expect(outcomes.every(({ calls }) => calls === 2)).toBe(true);
  });

  it('that is delivered twice does not wait for the delivery that does not count', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, seed) =>
        call(
          'duplicate-delivery',
          (number) => (number === seed % 2 ? answered() : Promise.reject(new StateError('Other', ''))),
          seed,
        ),
      ),
    );
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['answer', 'Other']));
  });

  it('without faults reaches the function once', async () => {
    expect(await call('slow-start', answered)).toEqual({ outcome: 'answer', calls: 1, faults: [] });
  });

  it('reports a bug of the local cloud as it is', async () => {
    const broken = (): Promise<string> => Promise.reject(new TypeError('a bug'));
    expect(await call('lost-result', broken)).toMatchObject({ outcome: 'TypeError: a bug' });
  });
});

describe('the start of a sandbox', () => {
  it('is delayed, and the delay belongs to the run that waits', async () => {
    const faults: InjectedFault[] = [];
    const injector = new FaultInjector({ seed: 11, rates: { 'slow-start': 1 } }, (fault) =>
      faults.push(fault),
    );
    jest.useFakeTimers({ doNotFake: ['performance'] });
    const started = startWithFaults(injector, 'slice-00', JSON.stringify(CALL.payload));
    await jest.runAllTimersAsync();
    await started;
    jest.useRealTimers();
    expect(faults).toMatchObject([{ kind: 'slow-start', run: 'machine/name/1', place: 'start of slice-00' }]);
  });
});
