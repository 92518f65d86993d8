/** What the examples deploy. `npm run check:examples` runs them as their READMEs say. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stage } from 'aws-cdk-lib';
import { app as handlersApp } from '../../examples/handlers/app';
import { OcrStack } from '../../examples/ocr/app';
import { Example } from '../support/example';
import { encodeModel, temporaryFolder } from '../support/model-builder';
import { shortTemplate, type Properties } from '../support/pipeline-stack';
import { smallMiniLm } from '../support/small-minilm';

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties: Properties;
}
type Resources = Readonly<Record<string, Resource>>;

const EXAMPLES = path.join(__dirname, '../../examples');
const APPS = fs.readdirSync(EXAMPLES).filter((name) => fs.existsSync(path.join(EXAMPLES, name, 'app.ts')));

/** What the reader runs before `cdk synth`. */
const MODELS: Partial<Record<string, (example: Example) => unknown>> = {
  'large-transformer': (example) => example.run('write-model', ['--gigabytes', '0.02', '--hidden', '256']),
  embeddings: (example) => {
    const { folder } = example;
    fs.mkdirSync(path.join(folder, 'minilm'));
    fs.writeFileSync(path.join(folder, 'minilm/model.onnx'), encodeModel(smallMiniLm(100)));
    fs.writeFileSync(path.join(folder, 'vocab.txt'), '[UNK]\n[CLS]\n[SEP]');
    return example.run('write-tokenizer', ['vocab.txt']);
  },
};

/** For the demo's stack, without the code of its own functions. */
function ocrStack(): OcrStack {
  const context = { 'aws:cdk:bundling-stacks': [] };
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false, context });
  return new OcrStack(app, 'SlicedOcr');
}

async function assemblyOf(name: string): Promise<string> {
  // These two bundle functions, which needs the packages of the repository's folder.
  if (name === 'handlers') return handlersApp.synth().directory;
  if (name === 'ocr') return Stage.of(ocrStack())?.synth().directory ?? '';
  const example = new Example(name);
  await MODELS[name]?.(example);
  return await example.synthesize();
}

async function resourcesOf(name: string): Promise<Resources> {
  const assembly = await assemblyOf(name);
  const [file] = fs.readdirSync(assembly).filter((each) => each.endsWith('.template.json'));
  const template = JSON.parse(fs.readFileSync(path.join(assembly, file), 'utf8')) as { Resources: Resources };
  return template.Resources;
}

function ofType(resources: Resources, type: string): Properties[] {
  return Object.values(resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties);
}

it.each(APPS)('the stack of %s empties the bucket that it deletes', async (name) => {
  const resources = await resourcesOf(name);
  const deleted = Object.entries(resources)
    .filter(([, { Type, DeletionPolicy }]) => Type === 'AWS::S3::Bucket' && DeletionPolicy === 'Delete')
    .map(([id]) => ({ Ref: id }));
  expect(deleted).toHaveLength(1);
  const emptied = ofType(resources, 'Custom::S3AutoDeleteObjects').map(({ BucketName }) => BucketName);
  expect(emptied).toEqual(deleted);
});

/** What a policy allows with objects of the bucket, such as `s3:GetObject outputs/*`. */
function objectRights(policy: Properties): string[] {
  type Texts = string | readonly string[];
  const { Statement: statements } = policy.PolicyDocument as {
    readonly Statement: readonly { readonly Action: Texts; readonly Resource: Texts }[];
  };
  return statements
    .flatMap(({ Action: actions, Resource: resources }) =>
      [actions].flat().flatMap((action) => [resources].flat().map((resource) => `${action} ${resource}`)),
    )
    .filter((right) => right.startsWith('s3:'))
    .map((right) => right.replace('{Detection/Bucket.Arn}/', ''))
    .sort();
}

it('the stack of the demo lets each function read and write only what it needs', () => {
  const { resources } = shortTemplate(ocrStack());
  const rights = (name: string) =>
    Object.entries(resources('AWS::IAM::Policy'))
      .filter(([policy]) => policy.startsWith(name))
      .flatMap(([, policy]) => objectRights(policy));
  const prepares = ['s3:GetObject inputs/photos/*', 's3:PutObject inputs/*'];
  expect(rights('PreparePhoto')).toEqual(prepares);
  expect(rights('CropLines')).toEqual([...prepares, 's3:GetObject outputs/*'].sort());
  expect(rights('ReadText')).toEqual(['s3:GetObject outputs/*']);
});
