import { Duration, Lazy } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { type SlicedInferencePipelineProps, TensorStore } from '../../../lib';
import { runtimeCodeDigest } from '../../../lib/aws/runtime-code';
import { compile } from '../../../lib/compile/compile';
import { planDeployment } from '../../../lib/pipeline/deployment';
import { pipelineSettings } from '../../../lib/pipeline/settings';
import { count } from '../../../lib/plan/slicers';
import { mlp, saveModel } from '../../support/model-builder';
import { writtenPlan } from '../../support/written-plan';

// The code differs between the architectures, so without the mock no test could change only one of the two.
jest.mock('../../../lib/aws/runtime-code');

const modelPath = saveModel(mlp(2));
const { plan } = writtenPlan(compile(modelPath, count(2)));
const { plan: whole } = writtenPlan(compile(modelPath, count(1)));
const otherDigest = { planDigest: '0'.repeat(64) };

interface Deployed {
  readonly code?: string;
  readonly planned?: typeof plan;
  readonly whole?: { readonly plan: typeof whole; readonly callMs: number };
}

function deploy(props: Partial<SlicedInferencePipelineProps> = {}, deployed: Deployed = {}) {
  jest.mocked(runtimeCodeDigest).mockReturnValue(deployed.code ?? 'code');
  const all = { modelPath, ...props };
  return planDeployment(deployed.planned ?? plan, all, pipelineSettings(all), deployed.whole);
}

const digestOf = (...args: Parameters<typeof deploy>): string => deploy(...args).plan.deploymentDigest;
const inZone = (zone: string) => ({ tensorStore: TensorStore.s3ExpressOneZone(zone) });
const unknownZone = () => inZone(Lazy.string({ produce: () => 'use1-az5' }));
const unknownMemory = () => ({ sliceFunctions: { memorySize: Lazy.number({ produce: () => 4000 }) } });

describe('the deployment digest', () => {
  test.each<[string, () => string]>([
    ['the plan', () => digestOf({}, { planned: { ...plan, ...otherDigest } })],
    ['the code of the functions', () => digestOf({}, { code: 'other code' })],
    ['the architecture', () => digestOf({ architecture: lambda.Architecture.ARM_64 })],
    ['the thread count', () => digestOf({ sliceFunctions: { memorySize: 4000 } })],
    ['S3 Express One Zone', () => digestOf(inZone('use1-az5'))],
    ['a zone that is known only at deployment', () => digestOf(unknownZone())],
    ['the whole model', () => digestOf({}, { whole: { plan: whole, callMs: 1 } })],
  ])('changes with %s', (_, other) => {
    expect(other()).not.toBe(digestOf());
  });

  test('differs between zones, and between whole models', () => {
    expect(digestOf(inZone('use1-az4'))).not.toBe(digestOf(inZone('use1-az5')));
    const [one, other] = [whole, { ...whole, ...otherDigest }].map((own) =>
      deploy({}, { whole: { plan: own, callMs: 1 } }),
    );
    expect(one.whole?.plan.deploymentDigest).toBe(one.plan.deploymentDigest);
    expect(other.plan.deploymentDigest).not.toBe(one.plan.deploymentDigest);
  });

  test('does not contain tokens, whose text changes, or memory that keeps the thread count', () => {
    expect(digestOf(unknownZone())).toBe(digestOf(unknownZone()));
    for (const props of [unknownMemory(), { sliceFunctions: { memorySize: 1000 } }])
      expect(digestOf(props)).toBe(digestOf());
  });
});

test.each<[string, number, Duration | undefined, number]>([
  ['three times its planned call and ten seconds', 2_500, undefined, 18],
  ['half of an Express execution at most', 60_000, undefined, 150],
  ['at most half of a short timeout', 2_500, Duration.seconds(21), 10],
  ['as long with an unknown timeout', 2_500, Duration.seconds(Lazy.number({ produce: () => 2 })), 18],
])('a run waits for the whole model for %s', (_, callMs, timeout, seconds) => {
  const own = deploy({ ...(timeout && { timeout }) }, { whole: { plan: whole, callMs } });
  expect(own.whole?.askSeconds).toBe(seconds);
});

test.each([
  ['memoryMb', 10_304, '10240 MB of memory, got an estimate of 10304 MB'],
  ['ephemeralStorageMb', 10_241, '10240 MB of /tmp, got an estimate of 10241 MB'],
])('a whole model with a %s of %d is refused', (field, megabytes, message) => {
  const large = { ...whole, slices: [{ ...whole.slices[0], [field]: megabytes }] };
  expect(() => deploy({}, { whole: { plan: large, callMs: 1 } })).toThrow(
    `the whole model must fit a Lambda function of ${message}: leave Consolidation.ALWAYS out`,
  );
});
