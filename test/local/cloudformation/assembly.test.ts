import * as fs from 'node:fs';
import * as path from 'node:path';
import { Stack, Stage } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { SIGNATURE_KEY } from '../../../contract/signature';
import { readAssembly } from '../../../local/cloudformation/assembly';
import { selectPipeline, selectStateMachine } from '../../../local/cloudformation/pipeline';
import { PipelineStack, synthesize } from '../../support/pipeline-app';
import { temporaryFolder } from '../../support/temporary-folder';

const folder = temporaryFolder();
const source = 'exports.handler = async () => 1;';

describe('an assembly', () => {
  test('is read with its stacks, environments and asset manifests', () => {
    const assembly = synthesize((app) => {
      new Stack(app, 'Plain', { stackName: 'renamed' });
      new PipelineStack(app, 'Ocr', { source, env: { account: '123456789012', region: 'eu-west-1' } });
    });
    const [plain, ocr] = readAssembly(assembly);
    expect(plain).toMatchObject({
      name: 'renamed',
      environment: { account: '000000000000', region: 'us-east-1' },
    });
    expect(ocr).toMatchObject({
      name: 'Ocr',
      environment: { account: '123456789012', region: 'eu-west-1' },
      assetManifests: [path.join(assembly, 'Ocr.assets.json')],
    });
  });

  test.each([
    ['nothing', undefined, /nothing' does not exist: run `cdk synth` first$/],
    ['empty', '', /is not a cloud assembly, it has no manifest.json/],
    ['damaged', '{"artifacts":', /manifest.json' is not a JSON object: synthesize the assembly again/],
  ])('is refused if it is %s', (name, manifest, message) => {
    const place = path.join(folder, name);
    if (manifest !== undefined) fs.mkdirSync(place);
    if (manifest === '') fs.writeFileSync(path.join(place, 'file'), '');
    else if (manifest !== undefined) fs.writeFileSync(path.join(place, 'manifest.json'), manifest);
    expect(() => readAssembly(place)).toThrow(message);
  });
});

/** A state machine with the place and the comment of a pipeline's. */
function pipelineIn(scope: Construct, id: string): void {
  const inner = new Construct(scope, id);
  new sfn.StateMachine(inner, 'StateMachine', {
    comment: JSON.stringify({ [SIGNATURE_KEY]: { bucket: 'bucket' } }),
    definitionBody: sfn.DefinitionBody.fromChainable(new sfn.Pass(inner, 'Pass')),
  });
}

describe('the pipeline of an assembly', () => {
  test('is the state machine with a signature in its comment', () => {
    const assembly = synthesize((app) => {
      const stack = new PipelineStack(app, 'Ocr', {
        source,
        stateMachineType: sfn.StateMachineType.STANDARD,
      });
      const queue = new Queue(stack, 'Queue');
      new sfn.StateMachine(stack, 'Other', {
        definitionBody: sfn.DefinitionBody.fromChainable(
          new sfn.Pass(stack, 'P', { comment: queue.queueUrl }),
        ),
      });
    });
    expect(selectStateMachine(readAssembly(assembly)).logicalId).toMatch(/^Machine/);
    const pipeline = selectPipeline(readAssembly(assembly));
    expect(pipeline.bucket).toMatch(/^ocr-bucket[0-9a-f]{8}$/);
    expect(pipeline.signature).toMatchObject({ version: 1, deploymentDigest: 'abc' });
  });

  test('is chosen by its stack if there are several', () => {
    const stacks = readAssembly(
      synthesize((app) => {
        new PipelineStack(app, 'One', { source });
        new PipelineStack(app, 'Two', { source });
      }),
    );
    expect(selectStateMachine(stacks, 'Two').stack.name).toBe('Two');
    expect(selectStateMachine(stacks, 'Two/Machine').stack.name).toBe('Two');
    expect(() => selectStateMachine(stacks, 'Machine')).toThrow(
      "the assembly has 2 state machines named 'Machine': choose one of One/Machine, Two/Machine with --pipeline, or in code with the option pipeline",
    );
  });

  describe.each([
    ['with the paths of constructs in the template', true],
    ['without them', false],
  ])('%s', (_, hasPaths) => {
    const stacks = readAssembly(
      synthesize((app) => {
        app.node.setContext('aws:cdk:enable-path-metadata', hasPaths);
        const stack = new Stack(new Stage(app, 'Prod'), 'Ocr');
        for (const id of ['Classifier', 'Reader']) pipelineIn(stack, id);
        pipelineIn(new Construct(stack, 'Api'), 'Inner-1');
        new sfn.StateMachine(stack, 'Mine', {
          definitionBody: sfn.DefinitionBody.fromChainable(new sfn.Pass(stack, 'P')),
        });
      }),
    );

    const choose = (name?: string) => selectStateMachine(stacks, name).logicalId;

    test('is chosen by its id, which names it in errors, and comes before others', () => {
      for (const name of ['Classifier', 'Prod-Ocr/Classifier', 'ClassifierStateMachine'])
        expect(choose(name)).toMatch(/^ClassifierStateMachine\w{8}$/);
      expect(choose('Prod-Ocr/ApiInner1')).toMatch(/^ApiInner1StateMachine/);
      const names = 'Prod-Ocr/Classifier, Prod-Ocr/Reader, Prod-Ocr/ApiInner1';
      expect(() => choose()).toThrow(`the assembly has 3 pipelines: choose one of ${names} with`);
      expect(() => choose('None')).toThrow(`choose one of ${names}, Prod-Ocr/Mine with`);
      for (const name of ['Prod/Ocr/Api/Inner-1', 'Prod-Ocr/Api/Inner-1', 'Inner-1']) {
        if (hasPaths) expect(choose(name)).toMatch(/^ApiInner1StateMachine/);
        else expect(() => choose(name)).toThrow(`no state machine named '${name}'`);
      }
    });
  });

  test('is required', () => {
    const assembly = synthesize((app) => new Stack(app, 'Plain'));
    expect(() => selectPipeline(readAssembly(assembly))).toThrow(
      /^the assembly must have a pipeline or a function of this library, got none/,
    );
  });
});
