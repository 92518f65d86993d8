import { getEventListeners } from 'node:events';
import { within } from '../../../local/step-functions/clock';
import { StateMachine } from '../../../local/step-functions/state-machine';
import { graph, machine, parallel, taskState } from '../../support/machine-fixture';

test('an execution leaves no listener on the signal of its environment', async () => {
  const { signal } = new AbortController();
  const { stateMachine } = machine(parallel([graph('B', taskState()), graph('C', taskState())]));
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
