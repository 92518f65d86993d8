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

function digestOf(
  props: Partial<SlicedInferencePipelineProps> = {},
  { code = 'code', planned = plan } = {},
): string {
  jest.mocked(runtimeCodeDigest).mockReturnValue(code);
  const all = { modelPath, ...props };
  return planDeployment(planned, all, pipelineSettings(all)).plan.deploymentDigest;
}

const inZone = (zone: string) => ({ tensorStore: TensorStore.s3ExpressOneZone(zone) });
const unknownZone = () => inZone(Lazy.string({ produce: () => 'use1-az5' }));

describe('the deployment digest', () => {
  test.each<[string, () => string]>([
    ['the plan', () => digestOf({}, { planned: { ...plan, planDigest: '0'.repeat(64) } })],
    ['the code of the functions', () => digestOf({}, { code: 'other code' })],
    ['the architecture', () => digestOf({ architecture: lambda.Architecture.ARM_64 })],
    ['the thread count', () => digestOf({ sliceFunctions: { memorySize: 4000 } })],
    ['float16Transport', () => digestOf({ float16Transport: true })],
    ['S3 Express One Zone', () => digestOf(inZone('use1-az5'))],
    ['a zone that is known only at deployment', () => digestOf(unknownZone())],
  ])('changes with %s', (_, other) => {
    expect(other()).not.toBe(digestOf());
  });

  test('differs between zones', () => {
    expect(digestOf(inZone('use1-az4'))).not.toBe(digestOf(inZone('use1-az5')));
  });

  test('does not contain tokens, whose text changes from synthesis to synthesis', () => {
    expect(digestOf(unknownZone())).toBe(digestOf(unknownZone()));
    const memorySize = (): number => Lazy.number({ produce: () => 4000 });
    expect(digestOf({ sliceFunctions: { memorySize: memorySize() } })).toBe(digestOf());
  });

  test('does not change with memory that keeps the thread count', () => {
    expect(digestOf({ sliceFunctions: { memorySize: 1000 } })).toBe(digestOf());
  });
});

describe('a deployment with the whole model', () => {
  const { plan: whole } = writtenPlan(compile(modelPath, count(1)));
  const deployed = (planned = whole) => {
    jest.mocked(runtimeCodeDigest).mockReturnValue('code');
    return planDeployment(plan, { modelPath }, pipelineSettings({ modelPath }), {
      plan: planned,
      callMs: 2_500,
    });
  };

  it('has a digest that changes with the whole model, and that both share', () => {
    const own = deployed();
    expect(own.whole?.plan.deploymentDigest).toBe(own.plan.deploymentDigest);
    expect(own.plan.deploymentDigest).not.toBe(digestOf());
    const other = deployed({ ...whole, planDigest: '0'.repeat(64) });
    expect(other.plan.deploymentDigest).not.toBe(own.plan.deploymentDigest);
  });

  it('waits for it for three times its planned call and ten seconds, and half of an Express execution at most', () => {
    expect(deployed().whole?.askSeconds).toBe(18);
    const settings = pipelineSettings({ modelPath });
    const slow = planDeployment(plan, { modelPath }, settings, { plan: whole, callMs: 60_000 });
    expect(slow.whole?.askSeconds).toBe(150);
  });

  it.each<[string, Duration, number]>([
    ['long', Duration.seconds(60), 18],
    ['short', Duration.seconds(21), 10],
    ['of a second', Duration.seconds(1), 1],
    ['known only at deployment', Duration.seconds(Lazy.number({ produce: () => 2 })), 18],
  ])('waits for at most half of a timeout that is %s', (_, timeout, seconds) => {
    const settings = pipelineSettings({ modelPath, timeout });
    const own = planDeployment(plan, { modelPath, timeout }, settings, { plan: whole, callMs: 2_500 });
    expect(own.whole?.askSeconds).toBe(seconds);
  });

  it.each([
    ['memoryMb', 10_304, '10240 MB of memory, got an estimate of 10304 MB'],
    ['ephemeralStorageMb', 10_241, '10240 MB of /tmp, got an estimate of 10241 MB'],
  ])('refuses a %s of %d', (field, megabytes, message) => {
    const [slice] = whole.slices;
    const large = { ...whole, slices: [{ ...slice, [field]: megabytes }] };
    expect(() => deployed(large)).toThrow(
      `the whole model must fit a Lambda function of ${message}: leave Consolidation.ALWAYS out`,
    );
  });
});
