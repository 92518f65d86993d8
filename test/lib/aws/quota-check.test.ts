/** Warnings and errors for pipelines that come near a quota or exceed it. */
import { Annotations } from 'aws-cdk-lib';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Consolidation, Slicing, WarmUp, type SlicedInferencePipelineProps } from '../../../lib';
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

  test.each<[number, string, string[]]>([
    [0, 'no warning', []],
    [799, 'no warning', []],
    [800, 'a warning', [warning]],
    [1000, 'a warning', [warning.replace('800', '1000').replace('80 %', '100 %')]],
  ])('of 1000 with a use of %d gives %s', (used, _, expected) => {
    const stack = newStack();
    checkQuota(stack, { ...use, used });
    const found = Found.fromStack(stack).findWarning('*', Match.anyValue());
    expect(found.map(({ entry }) => entry.data)).toEqual(expected);
  });

  test('that is exceeded is an error', () => {
    expect(
      errorOf(() => {
        checkQuota(newStack(), { ...use, used: 1001 });
      }),
    ).toBe('the thing must have at most 1000 bytes (https://example.com/quota), got 1001: use less');
  });

  test('that only the longest names exceed gives a warning', () => {
    const stack = newStack();
    checkQuota(stack, { ...use, used: 1001, least: 1000 });
    const [{ entry }] = Found.fromStack(stack).findWarning('*', Match.anyValue());
    expect(entry.data).toMatch(/^the thing has up to 1001 of at most 1000 bytes, 100 % /);
  });

  test('gives a warning that can be acknowledged', () => {
    const stack = newStack();
    checkQuota(stack, { ...use, used: 900 });
    Annotations.of(stack).acknowledgeWarning('cdk-sliced-inference:someQuota', 'known');
    expect(Found.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
  });
});

describe('a pipeline', () => {
  test('that is far from all quotas gives no warning', () => {
    expect(messages({ slicing: Slicing.count(3) })).toEqual([]);
    expect(messages({ slicing: Slicing.count(3), stateMachineType: StateMachineType.STANDARD })).toEqual([]);
  });

  test('names the whole model if that has the largest function', () => {
    const own = { consolidation: Consolidation.ALWAYS, slicing: Slicing.count(3) };
    expect(messages({ ...own, sliceFunctionOverrides: { whole: { memorySize: 5000 } } })).toEqual([
      `the function of the whole model has 5000 MB of memory, and new AWS accounts are limited to 3008 MB (${LAMBDA}): request a higher quota from AWS, or set Consolidation.NEVER [ack: cdk-sliced-inference:newAccountMemory]`,
    ]);
  });

  test('gives a warning if its memory is above the limit of new accounts or near the quota', () => {
    expect(messages({ sliceFunctions: { memorySize: 4096 } })).toEqual([
      `the largest slice function has 4096 MB of memory, and new AWS accounts are limited to 3008 MB (${LAMBDA}): request a higher quota from AWS, or use more slices [ack: cdk-sliced-inference:newAccountMemory]`,
    ]);
    expect(messages({ sliceFunctions: { memorySize: 9000 } })[0]).toBe(
      `the largest slice function has 9000 of at most 10240 MB of memory, 87 % (${LAMBDA}): use more slices [ack: cdk-sliced-inference:memoryQuota]`,
    );
  });

  test('gives a warning if an object is near the limit of a PUT, and an error if it is above', () => {
    const props = { slicing: Slicing.count(1), sliceFunctions: { memorySize: 10_240 } };
    expect(messages({ ...props, dimensions: { batch: 70_000_000 } })).toContainEqual(
      `the slice that writes the most has 4480000000 of at most 5368709120 bytes in one object, 83 % (${S3}): cut elsewhere, or set smaller dimensions [ack: cdk-sliced-inference:objectQuota]`,
    );
    expect(errorOf(() => messages({ ...props, dimensions: { batch: 84_000_000 } }))).toBe(
      `the slice that writes the most must have at most 5368709120 bytes in one object (${S3}), got 5376000000: cut elsewhere, or set smaller dimensions`,
    );
  });

  test('gives a warning if its functions reserve nearly all concurrency', () => {
    const props = { slicing: Slicing.count(3), sliceFunctions: { reservedConcurrentExecutions: 250 } };
    expect(messages(props)).toEqual([
      `the functions of the pipeline reserve 750 concurrent executions, and by default an account can reserve 900 (${LAMBDA}): reserve fewer, or request a higher quota from AWS [ack: cdk-sliced-inference:concurrencyQuota]`,
    ]);
  });

  test('gives a warning if it warms up more functions than the concurrency of a new account', () => {
    const modelPath = saveModel(mlp(12));
    const props = { modelPath, slicing: Slicing.count(12), dimensions: { batch: 1 } };
    expect(messages(props)).toEqual([
      `a run calls all 12 functions at once to warm them up, and new AWS accounts may be limited to 10 concurrent executions (${LAMBDA}): request a higher quota from AWS, or set warmUp to NEVER [ack: cdk-sliced-inference:newAccountConcurrency]`,
    ]);
    expect(messages({ ...props, warmUp: WarmUp.NEVER })).toEqual([]);
  });

  test('gives an info if its requests are too large to send inline', () => {
    const slicing = Slicing.count(1);
    expect(messages({ slicing, dimensions: { batch: 2000 } }, 'findInfo')).toEqual([]);
    expect(messages({ slicing, dimensions: { batch: 3000 } }, 'findInfo')).toEqual([
      `a request with the planned dimensions takes 256000 bytes inline, and an execution's input can have at most 262144 bytes (${STEP_FUNCTIONS}): upload its tensors to the bucket below inputs/`,
    ]);
  });

  test('gives a warning if an environment is near the quota, and an error if it is above', () => {
    const environment = (bytes: number) => ({
      sliceFunctions: { environment: { LARGE: 'x'.repeat(bytes) } },
    });
    expect(messages(environment(1500))).toEqual([]);
    expect(messages(environment(2600))).toEqual([
      expect.stringMatching(
        /^the slice function with the largest environment has up to \d+ of at most 4096 bytes of environment variables, [89]\d % \(.*\): set fewer or shorter variables \[ack: cdk-sliced-inference:environmentQuota\]$/,
      ),
    ]);
    expect(errorOf(() => messages(environment(4000)))).toMatch(
      /^the slice function with the largest environment must have at most 4096 bytes of environment variables \(.*\), got \d+: set fewer or shorter variables$/,
    );
  });

  test('gives a warning if its resources are near the quota of a stack, and an error if they are above', () => {
    const modelPath = saveModel(mlp(45));
    const props = (slices: number) => ({
      modelPath,
      dimensions: { batch: 1 },
      slicing: Slicing.count(slices),
    });
    expect(messages(props(105))).toContainEqual(
      expect.stringMatching(
        /^the pipeline has 4\d\d of at most 500 resources in its stack, .*\[ack: cdk-sliced-inference:resourcesQuota\]$/,
      ),
    );
    expect(errorOf(() => messages(props(130)))).toMatch(
      /^the pipeline must have at most 500 resources in its stack \(.*\), got 5\d\d: use fewer slices, or no provisioned concurrency$/,
    );
  });
});
