/**
 * The whole template as CloudFormation gets it, without feature flags as in an old app and with all that CDK
 * recommends as in a new one. Both pass CDK's validation with its findings as errors.
 */
import * as fs from 'node:fs';
import * as cdk from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { Slicing } from '../../../lib';
import type { SlicedInferencePipelineProps } from '../../../lib';
import { addPipeline, newStack, scrubbed } from '../../support/pipeline-stack';

const STRICT = { '@aws-cdk/core:validateAgainstDefaultRules': true };

const recommended = JSON.parse(
  fs.readFileSync(require.resolve('aws-cdk-lib/recommended-feature-flags.json'), 'utf8'),
) as Record<string, unknown>;

beforeAll(() => {
  delete process.env.CDK_VALIDATION;
});

function templateText(flags: object, props: Partial<SlicedInferencePipelineProps> = {}): string {
  const stack = newStack({ ...flags, ...STRICT });
  addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3), ...props });
  const text = scrubbed(JSON.stringify(Template.fromStack(stack).toJSON(), undefined, 2));
  // Versions are named by a hash of their function, which changes with the code in it.
  return text.replaceAll(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/g, '$1<hash>');
}

test('without feature flags', () => {
  expect(templateText({})).toMatchSnapshot();
});

test('with all recommended feature flags', () => {
  expect(Object.keys(recommended).length).toBeGreaterThan(50);
  expect(templateText(recommended)).toMatchSnapshot();
});

// Older releases of CDK have no such validation.
const validating = 'Validations' in cdk ? test : test.skip;

validating('a property that CloudFormation would refuse fails the synthesis', () => {
  const stack = newStack(STRICT);
  const [fn] = addPipeline(stack, 'Pipeline').functions;
  (fn.node.defaultChild as CfnFunction).timeout = 960;
  expect(() => Template.fromStack(stack)).toThrow('Timeout: 960 exceeds maximum 900');
});
