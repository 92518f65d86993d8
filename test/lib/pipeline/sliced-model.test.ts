/** Stacks that deploy a sliced model without the model itself. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import {
  type SlicedInferencePipelineProps,
  GraphOptimization,
  SlicedInferencePipeline,
  SlicedModel,
  Slicing,
} from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { LocalCloud, infer } from '../../../local';
import { isLink, link } from '../../support/links-and-pipes';
import { errorOf, newApp, newStack, pipelineStack, shortTemplate } from '../../support/pipeline-stack';
import { cli } from '../../support/run-cli';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { runWhole } from '../../support/run-slices';
import { writtenPlan } from '../../support/written-plan';

const MODEL = saveModel(mlp(4));
const sliced = () => writtenPlan(compile(MODEL, count(3), { dimensions: { batch: 1 } }));

function stackOf(props: SlicedInferencePipelineProps, stack = newStack()) {
  new SlicedInferencePipeline(stack, 'Pipeline', props);
  return shortTemplate(stack);
}

describe('SlicedModel.fromDirectory', () => {
  test('gives the same template as the model', () => {
    const { template } = pipelineStack({
      modelPath: MODEL,
      dimensions: { batch: 1 },
      slicing: Slicing.count(3),
    });
    const { template: same } = stackOf({ slicedModel: SlicedModel.fromDirectory(sliced().folder) });
    expect(same.toJSON()).toEqual(template.toJSON());
  });

  test('reads the files once, and again if a file has changed', () => {
    const { folder, plan } = sliced();
    const cache = temporaryFolder();
    const before = process.env.SLICED_INFERENCE_CACHE;
    process.env.SLICED_INFERENCE_CACHE = cache;
    try {
      SlicedModel.fromDirectory(folder);
      // The cache has one digest per file. A wrong digest in it makes the check fail, which proves that it is used.
      const digests = path.join(cache, 'digests');
      expect(fs.readdirSync(digests)).toHaveLength(2 * plan.slices.length);
      const cacheWrongDigests = (writtenAt: number): void => {
        const wrong = JSON.stringify({ writtenAt, digest: 'wrong' });
        for (const entry of fs.readdirSync(digests)) fs.writeFileSync(path.join(digests, entry), wrong);
      };
      cacheWrongDigests(Date.now());
      expect(errorOf(() => SlicedModel.fromDirectory(folder))).toContain('got other bytes');
      // Digests from before the last boot are ignored, because the file's bytes may have been lost since.
      cacheWrongDigests(1);
      expect(SlicedModel.fromDirectory(folder)).toBeDefined();
      cacheWrongDigests(Date.now());
      for (const entry of fs.readdirSync(folder)) fs.utimesSync(path.join(folder, entry), 1, 1);
      expect(SlicedModel.fromDirectory(folder)).toBeDefined();
    } finally {
      process.env.SLICED_INFERENCE_CACHE = before;
    }
  });

  test.each([
    [
      'has other bytes',
      (file: string) => {
        fs.writeFileSync(file, fs.readFileSync(file).fill(7, 0, 1));
      },
      'other bytes',
    ],
    [
      'is cut short',
      (file: string) => {
        fs.truncateSync(file, 9);
      },
      '9 bytes',
    ],
  ])('refuses a file that %s', (_, damage, got) => {
    const { folder, plan } = sliced();
    const file = path.join(folder, 'slice-01.weights');
    damage(file);
    expect(errorOf(() => SlicedModel.fromDirectory(folder))).toBe(
      `slice file '${file}' must have the ${plan.slices[1].weights?.bytes} bytes that its plan lists, got ${got}: copy it again, or slice the model again`,
    );
  });

  test('refuses a missing file, and a folder without a plan', () => {
    const { folder } = sliced();
    fs.rmSync(path.join(folder, 'slice-02.onnx'));
    expect(errorOf(() => SlicedModel.fromDirectory(folder))).toBe(
      `slice file '${path.join(folder, 'slice-02.onnx')}' must exist, got no such file or folder: slice the model again`,
    );
    const empty = temporaryFolder();
    expect(errorOf(() => SlicedModel.fromDirectory(empty))).toBe(
      `plan '${path.join(empty, 'plan.json')}' must be a readable file, got no such file or folder: check the path`,
    );
  });

  test('refuses a plan that names files outside of the folder', () => {
    const { folder, plan, file } = sliced();
    const [first, ...rest] = plan.slices;
    const slices = [{ ...first, model: { ...first.model, file: '../slice-00.onnx' } }, ...rest];
    fs.writeFileSync(file, JSON.stringify({ ...plan, slices }));
    expect(errorOf(() => SlicedModel.fromDirectory(folder))).toBe(
      `slices[0].model.file of plan '${file}' must be slice-00.onnx, got '../slice-00.onnx': make the plan again with \`sliced-inference slice\`, and do not edit it`,
    );
  });
});

describe('SlicedModel.fromBucket', () => {
  test('grants each function its two objects of the bucket, and no others', () => {
    const { plan, file } = sliced();
    const stack = newStack();
    const bucket = s3.Bucket.fromBucketName(stack, 'Models', 'my-models');
    const { resource, resources } = stackOf(
      { slicedModel: SlicedModel.fromBucket(bucket, 'ocr/v1', file) },
      stack,
    );
    plan.slices.forEach(({ model, weights }, slice) => {
      const [modelKey, weightsKey] = [`ocr/v1/${model.sha256}.onnx`, `ocr/v1/${weights?.sha256}.weights`];
      const raw = JSON.stringify(
        Object.values(stackResources(stack)).filter(({ Type }) => Type === 'AWS::IAM::Policy')[slice],
      );
      expect(raw).toContain(modelKey);
      expect(raw).toContain(weightsKey);
      expect(raw.match(/my-models/g)).toHaveLength(2);
      expect(resource(`Pipeline/slice-0${slice}/Function`).Environment).toMatchObject({
        Variables: {
          SLICE_MODEL_URI: 's3://my-models/ocr/v1/<sha256>.onnx',
          SLICE_WEIGHTS_URI: 's3://my-models/ocr/v1/<sha256>.weights',
        },
      });
    });
    expect(Object.keys(resources('AWS::Lambda::Function'))).toHaveLength(3);
  });

  test('allows the functions to decrypt with the key of the bucket', () => {
    const stack = newStack();
    const bucket = s3.Bucket.fromBucketAttributes(stack, 'Models', {
      bucketName: 'my-models',
      encryptionKey: kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:us-east-1:111122223333:key/abc'),
    });
    const { resource } = stackOf({ slicedModel: SlicedModel.fromBucket(bucket, '', sliced().file) }, stack);
    expect(JSON.stringify(resource('Pipeline/SlicePolicy'))).toContain(
      '{"Action":"kms:Decrypt","Condition":{"StringLike":{"kms:ViaService":"s3.*"}},"Effect":"Allow","Resource":"arn:aws:kms:us-east-1:111122223333:key/abc","Sid":"UseModelKey"}',
    );
  });

  test.each(['/ocr', 'ocr/'])('refuses the prefix %s', (prefix) => {
    const stack = newStack();
    const bucket = s3.Bucket.fromBucketName(stack, 'Models', 'my-models');
    expect(errorOf(() => SlicedModel.fromBucket(bucket, prefix, sliced().file))).toBe(
      `the prefix of a sliced model must begin and end without a slash, got '${prefix}': remove the slash`,
    );
  });

  test.each(['*', 'ocr/*', 'a?', '${aws:username}', '..', 'ocr/../other', 'a//b', 'a\nb', 'p'.repeat(513)])(
    'refuses the prefix %j, which would mean more than itself in a policy or a key',
    (prefix) => {
      const bucket = s3.Bucket.fromBucketName(newStack(), 'Models', 'my-models');
      expect(errorOf(() => SlicedModel.fromBucket(bucket, prefix, sliced().file))).toMatch(
        /^the prefix of a sliced model must be one that `sliced-inference slice` accepts, got '[^\n]*': a prefix [^\n]*$/,
      );
    },
  );

  describe('with a bucket whose region is known', () => {
    const env = { account: '111122223333', region: 'us-east-1' };
    const bucketIn = (stack: Stack, region?: string) =>
      s3.Bucket.fromBucketAttributes(stack, 'Models', { bucketName: 'my-models', ...(region && { region }) });
    const stackIn = (environment?: typeof env) =>
      new Stack(newApp(), 'Regional', { ...(environment && { env: environment }) });

    test('refuses another region than that of the stack', () => {
      const stack = stackIn(env);
      const slicedModel = SlicedModel.fromBucket(bucketIn(stack, 'eu-west-1'), 'ocr', sliced().file);
      expect(errorOf(() => stackOf({ slicedModel }, stack))).toBe(
        'the bucket of a sliced model must be in the region of the stack, us-east-1, got eu-west-1: use a bucket in that region, or deploy the stack in the region of the bucket',
      );
    });

    test('refuses another region for the bucket of requests and results too', () => {
      const stack = stackIn(env);
      const props = {
        slicedModel: SlicedModel.fromDirectory(sliced().folder),
        bucket: bucketIn(stack, 'eu-west-1'),
      };
      expect(errorOf(() => stackOf(props, stack))).toContain(
        'bucket must be in the region of the stack, us-east-1, got eu-west-1',
      );
    });

    test.each([
      ['the same region', env, 'us-east-1'],
      ['no region of its own', env, undefined],
      ['a stack whose region is known only at deployment', undefined, 'eu-west-1'],
    ])('accepts %s', (_, environment, region) => {
      const stack = stackIn(environment);
      const slicedModel = SlicedModel.fromBucket(bucketIn(stack, region), 'ocr', sliced().file);
      expect(stackOf({ slicedModel }, stack).template).toBeDefined();
    });
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
        NODE_EXTRA_CA_CERTS: certificateAuthority?.file ?? '',
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
      const x: RawTensor = {
        dtype: 'float32',
        shape: [2, 16],
        bytes: new Uint8Array(Float32Array.from({ length: 32 }, (_, index) => Math.sin(index)).buffer),
      };
      const result = await infer(cloud, new Map([['x', x]]));
      expect(result).toMatchObject({
        status: 'SUCCEEDED',
        outputs: await runWhole(MODEL, new Map([['x', x]])),
      });
    } finally {
      await cloud.close();
    }
  });
});

describe('the slicedModel of a pipeline', () => {
  const refused = (props: () => SlicedInferencePipelineProps): string => errorOf(() => stackOf(props()));

  test('is required without a modelPath, and cannot be combined with one', () => {
    expect(refused(() => ({}))).toBe(
      'a pipeline must have a model, got neither modelPath nor slicedModel: set one of them',
    );
    expect(
      refused(() => ({ modelPath: MODEL, slicedModel: SlicedModel.fromDirectory(sliced().folder) })),
    ).toBe(
      'slicedModel cannot be combined with modelPath, slicing, dimensions or graphOptimization, got modelPath: set slicedModel alone, or slice the model again with other settings',
    );
  });

  test('cannot be combined with slicing, dimensions or graphOptimization', () => {
    expect(
      refused(() => ({
        slicedModel: SlicedModel.fromDirectory(sliced().folder),
        slicing: Slicing.count(2),
        dimensions: {},
        graphOptimization: GraphOptimization.BASIC,
      })),
    ).toBe(
      'slicedModel cannot be combined with modelPath, slicing, dimensions or graphOptimization, got slicing, dimensions, graphOptimization: set slicedModel alone, or slice the model again with other settings',
    );
  });

  test('gives a warning if it was sliced for another version of ONNX Runtime', () => {
    const { folder, plan, file } = sliced();
    fs.writeFileSync(file, JSON.stringify({ ...plan, onnxRuntime: '1.2.3' }));
    const stack = newStack();
    const { template } = stackOf({ slicedModel: SlicedModel.fromDirectory(folder) }, stack);
    expect(template).toBeDefined();
    const warnings = stack.node
      .findAll()
      .flatMap(({ node }) => node.metadata.map(({ data }) => String(data)));
    expect(warnings.filter((text) => text.includes('was sliced for ONNX Runtime 1.2.3'))).toHaveLength(1);
  });
});

interface Resource {
  readonly Type: string;
}

function stackResources(stack: Stack): Record<string, Resource> {
  const { Resources } = shortTemplate(stack).template.toJSON() as { Resources: Record<string, Resource> };
  return Resources;
}
