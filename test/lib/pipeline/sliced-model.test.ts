/** Stacks that deploy a sliced model without the model itself. */
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { SlicedInferencePipeline, SlicedModel, Slicing } from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { mlp, saveModel } from '../../support/model-builder';
import { errorOf, newStack, pipelineStack, shortTemplate } from '../../support/pipeline-stack';
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

test('SlicedModel.fromBucket grants each function its two objects of the bucket, and the use of its key', () => {
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
