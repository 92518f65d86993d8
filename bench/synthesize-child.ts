/** Synthesizes the stacks that its argument lists as JSON: slices, the whole model in one function, and naive slices. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { buildSync } from 'esbuild';
import { Consolidation, SlicedInferencePipeline, SlicedModel, Slicing, WarmUp } from '../lib';
import { codeFiles } from '../lib/aws/runtime-code';
import { InvokeFunction, userFunction } from '../lib/aws/workflow/invoke-function';
import { readPlan } from '../lib/compile/files/read-plan';
import { MAX_LAMBDA_MEMORY_MB } from '../lib/plan/sizes/lambda-quotas';
import type { Subject } from './synthesize';

const ARCHITECTURE = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;

function build(subject: Subject): void {
  const app = new App({ outdir: subject.outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  if (subject.kind === 'naive') addNaiveFunctions(stack, subject);
  else addPipeline(stack, subject);
  app.synth();
}

function addPipeline(stack: Stack, subject: Subject): void {
  const { model, slices, kind, warmUp = false } = subject;
  const { dimensions, file: modelPath } = model;
  new SlicedInferencePipeline(stack, 'Pipeline', {
    ...(kind === 'measured'
      ? {
          slicedModel: SlicedModel.fromDirectory(String(slices)),
          // A slice that needs more than its plan says must be measured, not stopped.
          sliceFunctions: { memorySize: MAX_LAMBDA_MEMORY_MB },
        }
      : {
          ...{ modelPath, dimensions },
          // What the benchmarks measure is the way through S3.
          tensorsInState: false,
          slicing:
            typeof slices === 'number'
              ? Slicing.count(slices)
              : // Without warm-ups the search would choose other cuts.
                Slicing.fromPlan(path.join(slices, 'plan.json')),
          consolidation: Consolidation.NEVER,
        }),
    warmUp: warmUp ? WarmUp.ALWAYS : WarmUp.NEVER,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    architecture: ARCHITECTURE,
  });
}

/** They read the slices from a bucket. */
function addNaiveFunctions(stack: Stack, { outdir, slices }: Subject): void {
  const bucket = new s3.Bucket(stack, 'Bucket');
  const code = lambda.Code.fromAsset(naiveCode(`${outdir}-code`));
  const run = "$split($states.context.Execution.Id, ':')[-1]";
  const plan = readPlan(path.join(String(slices), 'plan.json'));
  const [first, ...rest] = plan.slices.map(({ inputs, outputs }, slice) => {
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
      memorySize: MAX_LAMBDA_MEMORY_MB,
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
  new sfn.StateMachine(stack, 'Machine', {
    queryLanguage: sfn.QueryLanguage.JSONATA,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    comment: JSON.stringify({ slicedInference: { bucket: bucket.bucketName } }),
    definitionBody: sfn.DefinitionBody.fromChainable(
      rest.reduce((chain, task) => chain.next(task), sfn.Chain.start(first)),
    ),
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

if (require.main === module) for (const subject of JSON.parse(process.argv[2]) as Subject[]) build(subject);
