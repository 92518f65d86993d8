/**
 * The whole template, without feature flags as in an old app, and with all recommended feature flags as in a new one. Both
 * pass CDK's validation with findings as errors.
 */
import { Template } from 'aws-cdk-lib/assertions';
import { Slicing, type SlicedInferencePipelineProps } from '../../../lib';
import { addPipeline, newStack, scrubbed } from '../../support/pipeline-stack';
import { RECOMMENDED, STRICT } from './stacks';

beforeAll(() => {
  delete process.env.CDK_VALIDATION;
});

function templateText(flags: object, props: Partial<SlicedInferencePipelineProps> = {}): string {
  const stack = newStack({ ...flags, ...STRICT });
  addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3), ...props });
  const text = scrubbed(JSON.stringify(Template.fromStack(stack).toJSON(), undefined, 2));
  // The logical id of a version contains a hash of its function, which changes with the code.
  return text.replaceAll(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/g, '$1<hash>');
}

test('the template without feature flags is the snapshot', () => {
  expect(templateText({})).toMatchSnapshot();
});

test('the template with all recommended feature flags is the snapshot', () => {
  expect(Object.keys(RECOMMENDED).length).toBeGreaterThan(50);
  expect(templateText(RECOMMENDED)).toMatchSnapshot();
});
