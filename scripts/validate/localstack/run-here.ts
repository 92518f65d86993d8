/** Runs scenarios in our interpreter, on a clock that does not wait. */
import type { Json } from '../../../local/basics/json';
import { StateError } from '../../../local/step-functions/errors';
import { StateMachine } from '../../../local/step-functions/state-machine';
import { START, virtualClock } from '../../../test/support/machine-fixture';
import type { Result } from './results';
import { warmUpOf, type Attempt, type Scenario } from './scenarios';

/** What an interpreter needs to know of an execution. */
export interface Execution extends Scenario {
  readonly definition: string;
  readonly type: 'EXPRESS' | 'STANDARD';
  readonly machineArn: string;
  readonly arn: string;
  /** Of the execution. */
  readonly executionName: string;
  readonly input: Json;
  readonly startTime: string;
}

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:Machine';
const INPUT = { x: { dtype: 'float32', shape: [1, 16], data: 'AAAA' } };

/** @param name of the execution; LocalStack's calls are told apart by it */
export async function runHere(
  definition: string,
  type: Execution['type'],
  scenario: Scenario,
  name: string,
): Promise<{ readonly execution: Execution; readonly result: Result }> {
  const calls = new Map<string, Json[]>();
  const machine = new StateMachine(
    { logicalId: 'Machine', name: 'Machine', arn: MACHINE, type, definition, roleArn: undefined },
    {
      clock: virtualClock(),
      random: () => 0.5,
      invokeLater: () => Promise.resolve(),
      invoke: (functionName, payload) => {
        const isWarmUp = typeof payload === 'object' && payload !== null && 'warmUp' in payload;
        const key = isWarmUp ? warmUpOf(functionName) : functionName;
        const own = [...(calls.get(key) ?? []), payload];
        calls.set(key, own);
        const first = Object.hasOwn(scenario.attempts, key)
          ? scenario.attempts[key].at(own.length - 1)
          : undefined;
        const later = Object.hasOwn(scenario.otherwise, key) ? scenario.otherwise[key] : { payload: {} };
        return answer(first ?? later);
      },
    },
  );
  const ended = await machine.execute(INPUT, name);
  const execution = {
    ...scenario,
    definition,
    type,
    machineArn: MACHINE,
    arn: ended.executionArn,
    executionName: name,
    input: INPUT,
    startTime: new Date(START).toISOString(),
  };
  const { status } = ended;
  const result =
    status === 'SUCCEEDED'
      ? { status, output: ended.output, calls: Object.fromEntries(calls) }
      : { status, error: ended.error, cause: ended.cause, calls: Object.fromEntries(calls) };
  return { execution, result };
}

function answer(attempt: Attempt): Promise<{ payload: Json; executedVersion: string }> {
  if ('failure' in attempt)
    return Promise.reject(new StateError(attempt.failure.errorType, JSON.stringify(attempt.failure)));
  if ('code' in attempt) {
    const { code, message } = attempt;
    // As LocalStack writes it.
    const details = `Service: AWSLambda; Status Code: 429; Error Code: ${code}; Request ID: request; Proxy: null`;
    return Promise.reject(new StateError(`Lambda.${code}`, `${message} (${details})`));
  }
  return Promise.resolve({ payload: attempt.payload, executedVersion: '1' });
}
