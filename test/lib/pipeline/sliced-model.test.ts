/** Stacks that deploy a sliced model without the model itself. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { SlicedInferencePipeline, SlicedModel, Slicing } from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { LocalCloud, infer } from '../../../local';
import { isLink, link } from '../../support/links-and-pipes';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { errorOf, newStack, pipelineStack, shortTemplate } from '../../support/pipeline-stack';
import { cli } from '../../support/run-cli';
import { runWhole } from '../../support/run-slices';
import { float32 } from '../../support/tensors';
import { writtenPlan } from '../../support/written-plan';

const MODEL = saveModel(mlp(4));
const sliced = () => writtenPlan(compile(MODEL, count(3), { dimensions: { batch: 1 } }));

function stackOf(slicedModel: SlicedModel, stack = newStack()) {
  new SlicedInferencePipeline(stack, 'Pipeline', { slicedModel });
  return shortTemplate(stack);
}

test('SlicedModel.fromDirectory gives the same template as the model', () => {
  const props = { modelPath: MODEL, dimensions: { batch: 1 }, slicing: Slicing.count(3) };
  const { template } = stackOf(SlicedModel.fromDirectory(sliced().folder));
  expect(template.toJSON()).toEqual(pipelineStack(props).template.toJSON());
});

describe('SlicedModel.fromBucket', () => {
  test('grants each function its two objects of the bucket, and the use of its key', () => {
    const { plan, file } = sliced();
    const stack = newStack();
    const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/abc';
    const bucket = s3.Bucket.fromBucketAttributes(stack, 'Models', {
      bucketName: 'my-models',
      encryptionKey: kms.Key.fromKeyArn(stack, 'Key', keyArn),
    });
    const { resource, template } = stackOf(SlicedModel.fromBucket(bucket, 'ocr/v1', file), stack);
    const policies = Object.values(template.findResources('AWS::IAM::Policy')).map((own) =>
      JSON.stringify(own),
    );
    plan.slices.forEach(({ model, weights }, slice) => {
      expect(policies[slice]).toContain(`ocr/v1/${model.sha256}.onnx`);
      expect(policies[slice]).toContain(`ocr/v1/${weights?.sha256}.weights`);
      expect(policies[slice].match(/my-models/g)).toHaveLength(2);
      expect(resource(`Pipeline/slice-0${slice}/Function`).Environment).toMatchObject({
        Variables: {
          SLICE_MODEL_URI: 's3://my-models/ocr/v1/<sha256>.onnx',
          SLICE_WEIGHTS_URI: 's3://my-models/ocr/v1/<sha256>.weights',
        },
      });
    });
    expect(JSON.stringify(resource('Pipeline/SlicePolicy'))).toContain(
      `{"Action":"kms:Decrypt","Condition":{"StringLike":{"kms:ViaService":"s3.*"}},"Effect":"Allow","Resource":"${keyArn}","Sid":"UseModelKey"}`,
    );
    const assetEncryptionKey = kms.Key.fromKeyArn(stack, 'AssetKey', keyArn);
    const slicedModel = SlicedModel.fromBucket(bucket, 'ocr', file);
    const both = () => new SlicedInferencePipeline(stack, 'Both', { slicedModel, assetEncryptionKey });
    expect(errorOf(both)).toContain(
      'assetEncryptionKey must be combined with slices that are deployed as assets',
    );
  });

  test('runs slices that the command line has uploaded, with only the plan at synth time', async () => {
    const folder = temporaryFolder();
    const planFile = path.join(folder, 'plan.json');
    fs.writeFileSync(planFile, fs.readFileSync(sliced().file));
    const outdir = path.join(folder, 'cdk.out');
    const app = new App({ outdir, analyticsReporting: false });
    const stack = new Stack(app, 'Test');
    const bucket = s3.Bucket.fromBucketName(stack, 'Models', 'my-models');
    new SlicedInferencePipeline(stack, 'Pipeline', {
      slicedModel: SlicedModel.fromBucket(bucket, 'models', planFile),
      bucket,
      architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    });
    app.synth();
    const cloud = await LocalCloud.start(outdir);
    try {
      const { endpoint, region, credentials, certificateAuthority } = cloud.s3;
      const env = {
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        NODE_EXTRA_CA_CERTS: certificateAuthority.file,
      };
      const uploaded = link('uploaded.json');
      const args = ['slice', MODEL, '--slices', '3', '--dimension', 'batch=1'];
      const to = ['--out', 's3://my-models/models', '--plan', uploaded];
      expect(await cli([...args, ...to], { env })).toMatchObject({ code: 0, leftovers: [], stderr: '' });
      expect(JSON.parse(fs.readFileSync(uploaded, 'utf8'))).toEqual(
        JSON.parse(fs.readFileSync(planFile, 'utf8')),
      );
      expect(isLink(uploaded)).toBe(true);
      expect((await cloud.getObject('models/plan.json')).toString()).toBe(fs.readFileSync(uploaded, 'utf8'));
      const inputs = new Map([['x', float32([2, 16])]]);
      const outputs = await runWhole(MODEL, inputs);
      expect(await infer(cloud, inputs)).toMatchObject({ status: 'SUCCEEDED', outputs });
    } finally {
      await cloud.close();
    }
  });
});
