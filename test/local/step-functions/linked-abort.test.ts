import { getEventListeners } from 'node:events';
import { within } from '../../../local/step-functions/clock';
import { LinkedAbort } from '../../../local/step-functions/linked-abort';
import { StateMachine } from '../../../local/step-functions/state-machine';
import { machine, task } from '../../support/machine-fixture';

describe('a linked abort', () => {
  test('follows its parent, with its reason', () => {
    const parent = new AbortController();
    const { signal } = new LinkedAbort(parent.signal);
    expect(signal.aborted).toBe(false);
    parent.abort(new Error('closed'));
    expect(signal.reason).toEqual(new Error('closed'));
  });

  test('of an aborted parent is aborted', () => {
    const parent = AbortSignal.abort(new Error('closed'));
    expect(new LinkedAbort(parent).signal.reason).toEqual(new Error('closed'));
  });

  test('does not abort its parent, and stays aborted for its first reason', () => {
    const parent = new AbortController();
    const linked = new LinkedAbort(parent.signal);
    linked.abort('first');
    parent.abort('second');
    expect(linked.signal.reason).toBe('first');
  });

  test('stops following when it is unlinked', () => {
    const parent = new AbortController();
    const linked = new LinkedAbort(parent.signal);
    linked.unlink();
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
    parent.abort();
    expect(linked.signal.aborted).toBe(false);
  });
});

test('an execution leaves no listener on the signal of its environment', async () => {
  const { signal } = new AbortController();
  const branches = ['B', 'C'].map((name) => ({
    StartAt: name,
    States: { [name]: (task().States as { A: object }).A },
  }));
  const { stateMachine } = machine({
    StartAt: 'P',
    States: { P: { Type: 'Parallel', Branches: branches as never, End: true } },
  });
  const invoke = () => Promise.resolve({ payload: 1, executedVersion: '1' });
  const standalone = new StateMachine(stateMachine.resource, {
    invoke,
    invokeLater: () => Promise.resolve(),
    signal,
  });
  expect(await standalone.execute({})).toMatchObject({ output: [1, 1] });
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('a time limit leaves no listener on the signal that it follows', async () => {
  const { signal } = new AbortController();
  const clock = { now: () => 0, sleep: () => new Promise<never>(() => undefined) };
  await within(clock, 5, signal, Promise.resolve(1), () => new Error('late'));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
