/** The demo's stack, which slices two real models. */
import { App } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { OcrStack, type Slices } from '../../../examples/ocr/app';
import { errorOf, shortTemplate, type Properties } from '../../support/pipeline-stack';
import { bucketsOf } from '../../support/leftover-buckets';
import { temporaryFolder } from '../../support/model-builder';

const outdir = temporaryFolder();

/** Does not bundle the stack's own functions. */
const context = { 'aws:cdk:bundling-stacks': [] };

function ocrStack(slices?: Slices): OcrStack {
  return new OcrStack(new App({ outdir, analyticsReporting: false, context }), 'SlicedOcr', slices);
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

/** What a policy allows with objects of the bucket, such as `s3:GetObject outputs/*`. */
function objectRights(policy: Properties): string[] {
  const { Statement: statements } = policy.PolicyDocument as { readonly Statement: readonly Statement[] };
  return statements
    .flatMap(({ Action: actions, Resource: resources }) =>
      [actions].flat().flatMap((action) => [resources].flat().map((resource) => ({ action, resource }))),
    )
    .filter(({ action }) => action.startsWith('s3:'))
    .map(({ action, resource }) => `${action} ${resource.replace('{Detection/Bucket.Arn}/', '')}`)
    .sort();
}

test('has a pipeline for each model, one bucket, three functions of its own and the one that empties the bucket', () => {
  const { resources, template } = shortTemplate(ocrStack());
  const functions = Object.entries(resources('AWS::Lambda::Function'));
  expect(functions.map(([name]) => name).sort()).toEqual([
    'CropLines',
    expect.stringMatching(/^Custom.*S3AutoDeleteObjects/),
    ...['Detection/slice-00/Function', 'Detection/slice-01/Function'],
    ...['PreparePhoto', 'ReadText'],
    ...[0, 1, 2, 3].map((slice) => `Recognition/slice-0${slice}/Function`),
  ]);
  template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  template.resourceCountIs('AWS::S3::Bucket', 1);
});

test('empties the bucket that it deletes', () => {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false, context });
  new OcrStack(app, 'SlicedOcr');
  expect(bucketsOf(app.synth().directory)).toEqual({ deleted: 1, leftover: [] });
});

test('throttles and logs requests, traces runs, and ends them before API Gateway stops waiting', () => {
  const { template } = shortTemplate(ocrStack());
  template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
    DefaultRouteSettings: { ThrottlingBurstLimit: 10, ThrottlingRateLimit: 5 },
    AccessLogSettings: { DestinationArn: Match.anyValue() },
  });
  template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
    LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
    TracingConfiguration: { Enabled: true },
  });
  expect(JSON.stringify(template.toJSON())).toMatch(/TimeoutSeconds\\+":29[,}]/);
});

test('lets each function read and write only what it needs', () => {
  const { resources } = shortTemplate(ocrStack());
  const rights = (name: string) =>
    Object.entries(resources('AWS::IAM::Policy'))
      .filter(([policy]) => policy.startsWith(name))
      .flatMap(([, policy]) => objectRights(policy));
  expect(rights('PreparePhoto')).toEqual(['s3:GetObject inputs/photos/*', 's3:PutObject inputs/*']);
  expect(rights('CropLines')).toEqual([
    ...['s3:GetObject inputs/photos/*', 's3:GetObject outputs/*'],
    's3:PutObject inputs/*',
  ]);
  expect(rights('ReadText')).toEqual(['s3:GetObject outputs/*']);
});

test('has no warnings', () => {
  expect(Annotations.fromStack(ocrStack()).findWarning('*', Match.anyValue())).toEqual([]);
});

test('accepts other numbers of slices', () => {
  const { resources } = shortTemplate(ocrStack({ detection: 1, recognition: 6 }));
  expect(Object.keys(resources('AWS::Lambda::Function'))).toHaveLength(3 + 1 + 6 + 1);
});

test('refuses a number of slices that is not a number', () => {
  expect(errorOf(() => ocrStack({ detection: 2, recognition: Number('many') }))).toBe(
    'the number of slices must be a whole number of 1 or more, got NaN: pass a positive whole number',
  );
});
