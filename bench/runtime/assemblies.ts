/** Synthesizes the stacks that are compared: slices, the whole model in one function, and naive slices. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { buildSync } from 'esbuild';
import { SlicedInferencePipeline, type SlicedInferencePipelineProps } from '../../lib';
import { codeFiles } from '../../lib/aws/code-files';
import { InvokeFunction, userFunction } from '../../lib/aws/workflow/invoke-function';
import { readPlan } from '../../lib/compile/files/read-plan';

const ARCHITECTURE = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;

function synthesize(outdir: string, build: (stack: Stack) => void): string {
  const app = new App({ outdir, analyticsReporting: false });
  build(new Stack(app, 'Bench'));
  app.synth();
  return outdir;
}

/** Synthesizes a stack with a pipeline and returns the folder of its assembly. */
export function pipelineAssembly(outdir: string, props: SlicedInferencePipelineProps): string {
  return synthesize(outdir, (stack) => {
    new SlicedInferencePipeline(stack, 'Pipeline', { architecture: ARCHITECTURE, ...props });
  });
}

/** Synthesizes a stack of naive functions, which read the slices of a folder from a bucket. */
export function naiveAssembly(outdir: string, slices: string): string {
  const plan = readPlan(path.join(slices, 'plan.json'));
  return synthesize(outdir, (stack) => {
    const bucket = new s3.Bucket(stack, 'Bucket');
    const code = lambda.Code.fromAsset(naiveCode(`${outdir}-code`));
    const run = "$split($states.context.Execution.Id, ':')[-1]";
    const tasks = plan.slices.map(({ inputs, outputs }, slice) => {
      const sources = inputs.map(({ name, source }) => [
        name,
        source.from === 'slice' ? source.slice : source.from,
      ]);
      const fn = new lambda.Function(stack, `Naive${slice}`, {
        code,
        handler: 'index.handler',
        runtime: lambda.Runtime.NODEJS_24_X,
        architecture: ARCHITECTURE,
        timeout: Duration.minutes(5),
        // Naive slices hold their weights several times.
        memorySize: 10_240,
        environment: {
          BUCKET: bucket.bucketName,
          SLICE: String(slice),
          SOURCES: JSON.stringify(Object.fromEntries(sources)),
          OUTPUTS: JSON.stringify(outputs.map(({ name }) => name)),
        },
      });
      bucket.grantReadWrite(fn);
      return new InvokeFunction(stack, `Slice ${slice}`, {
        fn: userFunction(fn),
        grantsCall: true,
        payload: { run: `{% ${run} %}`, input: '{% $states.context.Execution.Input.input %}' },
        outputs: '{% $states.result.Payload %}',
      });
    });
    const [first, ...rest] = tasks;
    new sfn.StateMachine(stack, 'Machine', {
      queryLanguage: sfn.QueryLanguage.JSONATA,
      stateMachineType: sfn.StateMachineType.EXPRESS,
      comment: JSON.stringify({ slicedInference: { bucket: bucket.bucketName } }),
      definitionBody: sfn.DefinitionBody.fromChainable(
        rest.reduce((chain, task) => chain.next(task), sfn.Chain.start(first)),
      ),
    });
  });
}

function naiveCode(folder: string): string {
  const cpu = process.arch === 'arm64' ? 'arm64' : 'x64';
  for (const { target, source } of codeFiles(cpu)) {
    fs.mkdirSync(path.dirname(path.join(folder, target)), { recursive: true });
    fs.copyFileSync(source, path.join(folder, target));
  }
  buildSync({
    entryPoints: [path.join(__dirname, 'naive-handler.js')],
    outfile: path.join(folder, 'index.js'),
    bundle: true,
    platform: 'node',
    external: ['onnxruntime-node'],
    allowOverwrite: true,
  });
  return folder;
}
