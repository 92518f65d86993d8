import { Stack } from 'aws-cdk-lib';
import * as fc from 'fast-check';
import { failState } from '../../../../lib/aws/workflow/failure';
import type { JsonObject } from '../../../../local/json';
import { run, task } from '../../../support/machine-fixture';
import { cases } from '../../../support/full-checks';

const failed = (hasSteps: boolean) =>
  failState(new Stack(), 'Failed', { failure: 'failure', failedAt: 'failedAt' }, hasSteps);
const definition = (failedAt: JsonObject, hasSteps: boolean) =>
  task(
    {
      Catch: [
        {
          ErrorEquals: ['States.ALL'],
          Assign: { failure: '{% $states.errorOutput %}', failedAt },
          Next: 'Failed',
        },
      ],
    },
    { Failed: failed(hasSteps).toStateJson() as JsonObject },
  );

/** The cause of an execution whose function failed with this cause. */
async function causeFor(
  cause: string,
  failedAt: JsonObject = { slice: 7 },
  hasSteps = false,
): Promise<string> {
  const { result } = await run(definition(failedAt, hasSteps), { attempts: [{ error: 'Broken', cause }] });
  if (result.status === 'SUCCEEDED') throw new Error('the execution succeeded');
  expect(result.error).toBe('Broken');
  return result.cause;
}

function thrown(errorMessage: string): string {
  return JSON.stringify({ errorType: 'Broken', errorMessage, trace: [] });
}

describe('the cause of a failed execution', () => {
  it('is that of the slice function, unchanged', async () => {
    const own = JSON.stringify({
      slice: 3,
      message: 'a "quoted"\\ \u0001\u2028 💥 {',
      tensor: 'x',
      got: '-1',
    });
    expect(await causeFor(thrown(own))).toBe(own);
    // For a slice that does not know its index.
    expect(await causeFor(thrown('{"slice":-1,"message":""}'))).toBe('{"slice":-1,"message":""}');
  });

  it.each([
    ['plain text', 'Task timed out'],
    ['text that begins and ends like JSON', '{"slice": but not JSON}'],
    ['text that begins and ends like JSON with our fields', '{"slice":01,"message":"x"}'],
    ['JSON with a bad escape', '{"message":"\\x"}'],
    ['JSON with a line break in a text', '{"message":"a\nb"}'],
    ['two objects', '{"a":1}{"a":1}'],
    ['a JSON text', '"x"'],
    ['nested JSON', '{"a":{"b":1}}'],
    ['JSON of another program', '{"code":7}'],
    ['JSON without a message', '{"slice":1}'],
    ['an empty text', ''],
  ])('wraps a message that is %s', async (_, message) => {
    expect(JSON.parse(await causeFor(thrown(message)))).toEqual({ slice: 7, message });
  });

  it('never takes the message of a function of the user for that of a slice', async () => {
    const message = '{"slice":3,"message":"not of a slice"}';
    expect(JSON.parse(await causeFor(thrown(message), { step: 'preprocess' }))).toEqual({
      step: 'preprocess',
      message,
    });
  });

  it('is that of a handler of the user that states its step, unchanged', async () => {
    const own = JSON.stringify({ step: 'postprocess', message: 'why', got: '"1"' });
    expect(await causeFor(thrown(own), { step: 'postprocess' }, true)).toBe(own);
  });

  it.each([
    ['that of a slice', '{"slice":3,"message":"not of a slice"}'],
    ['one of another step', '{"step":"train","message":"why"}'],
    ['one without a message', '{"step":"preprocess"}'],
  ])('wraps the cause of a user function that is %s', async (_, message) => {
    const parsed: unknown = JSON.parse(await causeFor(thrown(message), { step: 'preprocess' }, true));
    expect(parsed).toEqual({ step: 'preprocess', message });
  });

  it.each([
    ['plain text', 'RequestId: 1 Error: Runtime exited with error: signal: killed'],
    ['text that begins and ends like JSON', '{"errorMessage}'],
    ['JSON without a message', '{"a":{"b":1}}'],
  ])('wraps %s of Lambda', async (_, cause) => {
    expect(JSON.parse(await causeFor(cause))).toEqual({ slice: 7, message: cause });
  });

  it('has the message in the output of a lost sandbox', async () => {
    const cause =
      'The cause could not be determined because Lambda did not return an error type. ' +
      'Returned payload: {"errorMessage":"Task timed out after 3.00 seconds"}';
    expect(JSON.parse(await causeFor(cause))).toEqual({
      slice: 7,
      message: 'Task timed out after 3.00 seconds',
    });
  });

  it('is one JSON object for any text', async () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '"',
      '\\',
      ':',
      ',',
      'u00e9',
      '"errorMessage":',
      '"slice":1',
      '\n',
      'é',
      '\ud83d',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map((parts) => parts.join('')),
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
});
