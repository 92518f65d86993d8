/** Quotas that a pipeline comes near, and those that it breaks. */
import { Annotations } from 'aws-cdk-lib';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Slicing, WarmUp } from '../../../lib';
import type { SlicedInferencePipelineProps } from '../../../lib';
import { checkQuota } from '../../../lib/aws/quota-check';
import { mlp, saveModel } from '../../support/model-builder';
import { addPipeline, errorOf, newStack } from '../../support/pipeline-stack';

function messages(
  props: Partial<SlicedInferencePipelineProps>,
  level: 'findWarning' | 'findInfo' = 'findWarning',
): string[] {
  const stack = newStack();
  addPipeline(stack, 'Pipeline', props);
  return Found.fromStack(stack)
    [level]('*', Match.anyValue())
    .map(({ entry }) => entry.data as string);
}

const LAMBDA = 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html';
const S3 = 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html';
const STEP_FUNCTIONS = 'https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html';

describe('a quota', () => {
  const use = {
    id: 'someQuota',
    what: 'the thing',
    limit: 1000,
    unit: 'bytes',
    link: 'https://example.com/quota',
    advice: 'use less',
  };
  const warning =
    'the thing has 800 of at most 1000 bytes, 80 % (https://example.com/quota): use less [ack: cdk-sliced-inference:someQuota]';

  test.each<[number, string[]]>([
    [0, []],
    [799, []],
    [800, [warning]],
    [1000, [warning.replace('800', '1000').replace('80 %', '100 %')]],
  ])('of 1000, of which %d are used', (used, expected) => {
    const stack = newStack();
    checkQuota(stack, { ...use, used });
    const found = Found.fromStack(stack).findWarning('*', Match.anyValue());
    expect(found.map(({ entry }) => entry.data)).toEqual(expected);
  });

  test('that is broken is an error', () => {
    expect(
      errorOf(() => {
        checkQuota(newStack(), { ...use, used: 1001 });
      }),
    ).toBe('the thing must have at most 1000 bytes (https://example.com/quota), got 1001: use less');
  });

  test('can be acknowledged', () => {
    const stack = newStack();
    checkQuota(stack, { ...use, used: 900 });
    Annotations.of(stack).acknowledgeWarning('cdk-sliced-inference:someQuota', 'known');
    expect(Found.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
  });
});

describe('a pipeline', () => {
  test('that uses little is not warned of', () => {
    expect(messages({ slicing: Slicing.count(3) })).toEqual([]);
    expect(messages({ slicing: Slicing.count(3), stateMachineType: StateMachineType.STANDARD })).toEqual([]);
  });

  test('whose functions need more memory than new accounts have, or nearly all that there is', () => {
    expect(messages({ sliceFunctions: { memorySize: 4096 } })).toEqual([
      `the largest slice function has 4096 MB of memory, and new accounts are limited to 3008 MB (${LAMBDA}): ask AWS for more, or for more slices [ack: cdk-sliced-inference:newAccountMemory]`,
    ]);
    expect(messages({ sliceFunctions: { memorySize: 9000 } })[0]).toBe(
      `the largest slice function has 9000 of at most 10240 MB of memory, 87 % (${LAMBDA}): ask for more slices [ack: cdk-sliced-inference:memoryQuota]`,
    );
  });

  test('that writes objects larger than a PUT takes', () => {
    const props = { slicing: Slicing.count(1), sliceFunctions: { memorySize: 10_240 } };
    expect(messages({ ...props, dimensions: { batch: 70_000_000 } })).toContainEqual(
      `the slice that writes most has 4480000000 of at most 5368709120 bytes in one object, 83 % (${S3}): cut elsewhere, or ask for smaller dimensions [ack: cdk-sliced-inference:objectQuota]`,
    );
    expect(errorOf(() => messages({ ...props, dimensions: { batch: 84_000_000 } }))).toBe(
      `the slice that writes most must have at most 5368709120 bytes in one object (${S3}), got 5376000000: cut elsewhere, or ask for smaller dimensions`,
    );
  });

  test('whose functions reserve nearly all concurrency', () => {
    const props = { slicing: Slicing.count(3), sliceFunctions: { reservedConcurrentExecutions: 250 } };
    expect(messages(props)).toEqual([
      `the slice functions take 750 concurrent calls for themselves, and an account may give away 900 unless AWS has raised that (${LAMBDA}): ask for fewer, or AWS for more [ack: cdk-sliced-inference:concurrencyQuota]`,
    ]);
  });

  test('that warms up more functions than a new account may call at once', () => {
    const modelPath = saveModel(mlp(12));
    const props = { modelPath, slicing: Slicing.count(12), dimensions: { batch: 1 } };
    expect(messages(props)).toEqual([
      `a run calls all 12 functions at once to warm them up, and new accounts may be limited to 10 concurrent calls (${LAMBDA}): ask AWS for more, or set warmUp to NEVER [ack: cdk-sliced-inference:newAccountConcurrency]`,
    ]);
    expect(messages({ ...props, warmUp: WarmUp.NEVER })).toEqual([]);
  });

  test('whose requests are too large to be inline is a piece of information', () => {
    expect(messages({ dimensions: { batch: 2000 } }, 'findInfo')).toEqual([]);
    expect(messages({ dimensions: { batch: 3000 } }, 'findInfo')).toEqual([
      `a request of the planned dimensions takes 256000 bytes inline, and an execution's input has at most 262144 (${STEP_FUNCTIONS}): put its tensors into the bucket below inputs/`,
    ]);
  });

  test('with many variables in the environment', () => {
    const environment = (bytes: number) => ({
      sliceFunctions: { environment: { LARGE: 'x'.repeat(bytes) } },
    });
    expect(messages(environment(1500))).toEqual([]);
    expect(messages(environment(2600))).toEqual([
      expect.stringMatching(
        /^the slice function with most environment variables has \d+ of at most 4096 bytes of them, [89]\d % \(.*\): pass fewer or shorter ones \[ack: cdk-sliced-inference:environmentQuota\]$/,
      ),
    ]);
    expect(errorOf(() => messages(environment(4000)))).toMatch(
      /^the slice function with most environment variables must have at most 4096 bytes of them \(.*\), got \d+: pass fewer or shorter ones$/,
    );
  });

  test('of more slices than a stack has room for', () => {
    const modelPath = saveModel(mlp(45));
    const props = (slices: number) => ({
      modelPath,
      dimensions: { batch: 1 },
      slicing: Slicing.count(slices),
    });
    expect(messages(props(105))).toContainEqual(
      expect.stringMatching(
        /^the stack of the pipeline has 4\d\d of at most 500 resources, .*\[ack: cdk-sliced-inference:resourcesQuota\]$/,
      ),
    );
    expect(errorOf(() => messages(props(130)))).toMatch(
      /^the stack of the pipeline must have at most 500 resources, those of the pipeline alone counted \(.*\), got 5\d\d: ask for fewer slices, or for no provisioned concurrency$/,
    );
  });
});
