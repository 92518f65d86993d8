/** The cause of a failed execution is one JSON object, whatever the function threw. */
import { Stack } from 'aws-cdk-lib';
import * as fc from 'fast-check';
import { failState } from '../../../../lib/aws/workflow/failure';
import type { JsonObject } from '../../../../local/json';
import { cases } from '../../../support/full-checks';
import { run, task } from '../../../support/machine-fixture';

const SLICE = { slice: 7 };
const STEP = { step: 'preprocess' };

/** The cause of an execution whose function failed with this cause. */
async function causeFor(cause: string, failedAt: JsonObject = SLICE, hasSteps = false): Promise<string> {
  const failed = failState(new Stack(), 'Failed', { failure: 'failure', failedAt: 'failedAt' }, hasSteps);
  const Assign = { failure: '{% $states.errorOutput %}', failedAt };
  const Catch = [{ ErrorEquals: ['States.ALL'], Assign, Next: 'Failed' }];
  const definition = task({ Catch }, { Failed: failed.toStateJson() as JsonObject });
  const result = await run(definition, { attempts: [{ error: 'Broken', cause }] });
  if (result.status === 'SUCCEEDED') throw new Error('the execution succeeded');
  expect(result.error).toBe('Broken');
  return result.cause;
}

const thrown = (errorMessage: string): string =>
  JSON.stringify({ errorType: 'Broken', errorMessage, trace: [] });

test.each<[string, JsonObject, boolean, string]>([
  [
    'a slice',
    SLICE,
    false,
    '{"slice":3,"message":"a \\"quoted\\"\\\\ \\u0001\u2028 💥 {","tensor":"x","got":"-1"}',
  ],
  ['a slice that does not know its index', SLICE, false, '{"slice":-1,"message":""}'],
  ['a user handler', { step: 'postprocess' }, true, '{"step":"postprocess","message":"why","got":"\\"1\\""}'],
])('the JSON of %s stays as it is', async (_, failedAt, hasSteps, own) => {
  expect(await causeFor(thrown(own), failedAt, hasSteps)).toBe(own);
});

const OF_SLICE = '{"slice":3,"message":"not of a slice"}';

test.each<[string, string, JsonObject?, boolean?]>([
  ['plain text', 'Task timed out'],
  ['text that begins and ends like JSON with our fields', '{"slice":01,"message":"x"}'],
  ['JSON with a line break in a text', '{"message":"a\nb"}'],
  ['nested JSON', '{"a":{"b":1}}'],
  ['an empty text', ''],
  ['that of a slice, of a handler of the user', OF_SLICE, STEP, true],
  ['one of another step', '{"step":"train","message":"why"}', STEP, true],
])('a message that is %s is wrapped', async (_, message, failedAt = SLICE, hasSteps = false) => {
  const parsed: unknown = JSON.parse(await causeFor(thrown(message), failedAt, hasSteps));
  expect(parsed).toEqual({ ...failedAt, message });
});

const LOST =
  'The cause could not be determined because Lambda did not return an error type. ' +
  'Returned payload: {"errorMessage":"Task timed out after 3.00 seconds"}';

test.each([
  ['plain text', 'RequestId: 1 Error: Runtime exited with error: signal: killed', undefined],
  ['JSON without a message', '{"a":{"b":1}}', undefined],
  ['the output of a lost sandbox', LOST, 'Task timed out after 3.00 seconds'],
])('%s of Lambda is wrapped', async (_, cause, message = cause) => {
  expect(JSON.parse(await causeFor(cause))).toEqual({ slice: 7, message });
});

test('any text gives one JSON object', async () => {
  const pieces = [...Array.from('{}"\\:,\né\ud83d'), 'u00e9', '"errorMessage":', '"slice":1'];
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
  );
  await fc.assert(
    fc.asyncProperty(text, fc.boolean(), async (message, isThrown) => {
      const parsed: unknown = JSON.parse(await causeFor(isThrown ? thrown(message) : message));
      expect(parsed).toBeInstanceOf(Object);
      expect(parsed).not.toBeInstanceOf(Array);
    }),
    { numRuns: cases(50, 300) },
  );
});
