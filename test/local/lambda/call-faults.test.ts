import { FaultInjector, type InjectedFault } from '../../../local/faults/injector';
import type { FaultKind } from '../../../local/faults/kinds';
import { callWithFaults, startWithFaults } from '../../../local/lambda/call-faults';
import { StateError } from '../../../local/step-functions/state-error';

const CALL = {
  functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:slice-00:3',
  payload: { run: 'machine/name/1', version: 1 },
};

type Answer = (call: number) => Promise<string>;

/** Calls a function that counts its calls, while a kind of fault always strikes. Returns `outcome calls faults`. */
async function call(kind: FaultKind, answer: Answer, seed = 1): Promise<string> {
  const faults: InjectedFault[] = [];
  const injector = new FaultInjector({ seed, rates: { [kind]: 1 } }, (fault) => faults.push(fault));
  let calls = 0;
  const outcome = await callWithFaults(injector, CALL, async () => ({
    payload: await answer(calls++),
    executedVersion: '3',
  })).then(
    ({ payload }) => payload as string,
    (error: unknown) => (error instanceof StateError ? error.error : String(error)),
  );
  const places = faults.map(({ kind: struck, run, place }) => `${struck} ${run} ${place}`);
  return [outcome, calls, ...places].join(' ');
}

/** The outcomes with different seeds. */
async function outcomes(kind: FaultKind, answer: Answer): Promise<Set<string>> {
  return new Set(await Promise.all(Array.from({ length: 30 }, (_, seed) => call(kind, answer, seed))));
}

const answered: Answer = () => Promise.resolve('answer');
const failing: Answer = () => Promise.reject(new StateError('SliceFailed', '{}'));

describe('a call of a function', () => {
  const at = 'machine/name/1 slice-00';

  const either: Answer = (number) =>
    number === 0 ? answered(0) : Promise.reject(new StateError('Other', ''));

  it.each<[string, FaultKind, Answer, string[]]>([
    ['throttled does not reach it', 'throttled', answered, ['Lambda.TooManyRequestsException 0']],
    [
      'failing ends in each of the errors of the service',
      'failing',
      answered,
      ['Lambda.ServiceException 0', 'Lambda.SdkClientException 0', 'Lambda.AWSLambdaException 0'],
    ],
    ['lost runs it once', 'lost-result', answered, ['Lambda.ClientExecutionTimeoutException 1']],
    ['lost hides a failure', 'lost-result', failing, ['Lambda.ClientExecutionTimeoutException 1']],
    ['delivered twice ends in the outcome of either', 'duplicate-delivery', either, ['answer 2', 'Other 2']],
  ])('that is %s', async (_, kind, answer, expected) => {
    const described = expected.map((outcome) => `${outcome} ${kind} ${at}`);
    expect(await outcomes(kind, answer)).toEqual(new Set(described));
  });
});

it('the start of a sandbox is delayed, and the delay belongs to the run that waits', async () => {
  const faults: InjectedFault[] = [];
  const injector = new FaultInjector({ seed: 11, rates: { 'slow-start': 1 } }, (fault) => faults.push(fault));
  jest.useFakeTimers({ doNotFake: ['performance'] });
  const started = startWithFaults(injector, 'slice-00', JSON.stringify(CALL.payload));
  await jest.runAllTimersAsync();
  await started;
  jest.useRealTimers();
  expect(faults).toMatchObject([{ kind: 'slow-start', run: 'machine/name/1', place: 'start of slice-00' }]);
});
