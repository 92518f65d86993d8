/** The search looks for no more slices than a stack can hold. */
import { Slicing } from '../../../lib';
import { MOST_SLICES } from '../../../lib/plan/sizes/lambda-quotas';
import { pipelineStack } from '../../support/pipeline-stack';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const MAX_STACK_RESOURCES = 500;

function resourcesOf(slices: number): number {
  const { template } = pipelineStack({ slicing: Slicing.count(slices) });
  return Object.keys((template.toJSON() as { Resources: object }).Resources).length;
}

test('a stack has room for the most slices, and not for ten percent more', () => {
  const [two, five] = [2, 5].map(resourcesOf);
  const ofSlices = (slices: number): number => two + ((slices - 2) * (five - two)) / 3;
  expect(ofSlices(MOST_SLICES)).toBeLessThanOrEqual(MAX_STACK_RESOURCES);
  expect(ofSlices(1.1 * MOST_SLICES)).toBeGreaterThan(MAX_STACK_RESOURCES);
});
