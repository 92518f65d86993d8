import * as fs from 'node:fs';
import * as path from 'node:path';
import { Stack, Stage } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { readAssembly } from '../../../local/cloudformation/assembly';
import { selectPipeline, selectStateMachine } from '../../../local/cloudformation/pipeline';
import { PipelineStack, synthesize, useFolder } from '../../support/pipeline-app';
import { temporaryFolder } from '../../support/temporary-folder';

const folder = temporaryFolder();
useFolder(folder);
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

  test('of stages is read with its nested assemblies', () => {
    const assembly = synthesize((app) => {
      new PipelineStack(new Stage(app, 'Prod'), 'Ocr', { source });
    });
    expect(readAssembly(assembly).map(({ name }) => name)).toEqual(['Prod-Ocr']);
    expect(selectStateMachine(readAssembly(assembly)).stack.name).toBe('Prod-Ocr');
  });

  test('is refused if it is missing, not an assembly or damaged', () => {
    expect(() => readAssembly(path.join(folder, 'nothing'))).toThrow(
      /nothing' does not exist: run `cdk synth` first$/,
    );
    expect(() => readAssembly(folder)).toThrow(/is not a cloud assembly, it has no manifest.json/);
    fs.writeFileSync(path.join(folder, 'file'), '');
    expect(() => readAssembly(path.join(folder, 'file'))).toThrow(/is not a cloud assembly/);
    const damaged = path.join(folder, 'damaged');
    fs.mkdirSync(damaged);
    fs.writeFileSync(path.join(damaged, 'manifest.json'), '{"artifacts":');
    expect(() => readAssembly(damaged)).toThrow(
      /manifest.json' is not a JSON object: synthesize the assembly again/,
    );
  });
});

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

  test('is chosen by stack or logical id if there are several', () => {
    const stacks = readAssembly(
      synthesize((app) => {
        new PipelineStack(app, 'One', { source });
        new PipelineStack(app, 'Two', { source });
      }),
    );
    const id = selectStateMachine(stacks, 'One').logicalId;
    expect(selectStateMachine(stacks, 'Two').stack.name).toBe('Two');
    expect(selectStateMachine(stacks, `Two/${id}`).stack.name).toBe('Two');
    expect(() => selectStateMachine(stacks)).toThrow(
      `the assembly has 2 pipelines, expected one: choose one of One/${id}, Two/${id}`,
    );
    expect(() => selectStateMachine(stacks, id)).toThrow(`has 2 named '${id}', expected one`);
    expect(() => selectStateMachine(stacks, 'Three')).toThrow(
      "has 0 named 'Three', expected one: choose one of One/",
    );
  });

  test('is required', () => {
    const assembly = synthesize((app) => new Stack(app, 'Plain'));
    expect(() => selectPipeline(readAssembly(assembly))).toThrow(
      /^the assembly must have a pipeline, got no state machine/,
    );
  });
});
