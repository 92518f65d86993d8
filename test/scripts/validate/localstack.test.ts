/** The comparison of our interpreter with another one. Without the other one: its results are made up from ours. */
import { differences, type Result } from '../../../scripts/validate/localstack/results';
import { runHere } from '../../../scripts/validate/localstack/run-here';
import { scenariosOf } from '../../../scripts/validate/localstack/scenarios';
import { task } from '../../support/machine-fixture';

const SLICE = 'arn:aws:lambda:us-east-1:000000000000:function:slice:1';

const definition = JSON.stringify({
  QueryLanguage: 'JSONata',
  ...task({
    Arguments: { FunctionName: SLICE, Payload: { run: '{% $states.context.Execution.Name %}' } },
    Output: '{% $states.result.Payload.timing %}',
    Retry: [{ ErrorEquals: ['Lambda.TooManyRequestsException'], MaxAttempts: 3 }],
  }),
});

const scenarios = scenariosOf([SLICE]);

async function resultOf(name: string): Promise<Result> {
  const scenario = scenarios.find((other) => other.name === name);
  if (scenario === undefined) throw new Error(`no scenario '${name}'`);
  return (await runHere(definition, 'STANDARD', scenario, 'monday')).result;
}

test('there are twenty scenarios with different names', () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(20);
});

describe('our interpreter', () => {
  it('succeeds with the output of the function if nothing fails', async () => {
    expect(await resultOf('nothing fails')).toEqual({
      status: 'SUCCEEDED',
      output: { slice: 0, loadMs: 0, runMs: 2 },
      calls: { [SLICE]: [{ run: 'monday' }] },
    });
  });

  it('retries a call that Lambda refused, and repeats the payload', async () => {
    const { status, calls } = await resultOf('the first function is throttled twice');
    expect(status).toBe('SUCCEEDED');
    expect(calls[SLICE]).toEqual([{ run: 'monday' }, { run: 'monday' }, { run: 'monday' }]);
  });

  it('fails with the error of the function', async () => {
    expect(await resultOf('the last function refuses its input')).toEqual({
      status: 'FAILED',
      error: 'InvalidInput',
      cause: '{"errorType":"InvalidInput","errorMessage":"plain text"}',
      calls: { [SLICE]: [{ run: 'monday' }] },
    });
  });
});

describe('the results of two interpreters', () => {
  it('have no differences if they are the same', async () => {
    const result = await resultOf('nothing fails');
    expect(differences(result, await resultOf('nothing fails'), [])).toEqual([]);
  });

  it.each<[string, Partial<Result>]>([
    ['status', { status: 'FAILED' }],
    ['output', { output: { slice: 1 } }],
    ['error', { error: 'States.Runtime' }],
    ['cause', { cause: 'another' }],
    [`calls of ${SLICE}`, { calls: { [SLICE]: [{ run: 'monday' }, { run: 'monday' }] } }],
    [`calls of ${SLICE}`, { calls: {} }],
  ])('differ in their %s', async (field, other) => {
    const result = await resultOf('nothing fails');
    const found = differences(result, { ...result, ...other }, [SLICE]);
    expect(found).toEqual([expect.stringContaining(`${field}: ours is `)]);
  });

  it('may differ in calls of functions without faults if the execution failed', async () => {
    const result = await resultOf('the last function refuses its input');
    const other = { ...result, calls: { ...result.calls, other: [{}] } };
    expect(differences(result, other, [SLICE])).toEqual([]);
    expect(differences(result, other, [SLICE, 'other'])).toHaveLength(1);
  });
});
