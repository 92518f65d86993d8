/** The stacks of the check's own app: small pipelines and functions, each with another feature. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import {
  App,
  CfnOutput,
  RemovalPolicy,
  Stack,
  aws_ec2 as ec2,
  aws_iam as iam,
  aws_kms as kms,
  aws_lambda as lambda,
  aws_stepfunctions as sfn,
} from 'aws-cdk-lib';
import {
  BatchItems,
  Consolidation,
  InferenceFunction,
  InferenceHandler,
  SlicedInferenceBatch,
  SlicedInferencePipeline,
  Slicing,
  type InferenceFunctionProps,
  type SlicedInferencePipelineProps,
} from '../../lib';
import { mlp, retrained, saveModel } from '../../test/support/model-builder';
import { temporaryFolder } from '../support/temporary-folder';
import { infers, invokesWrapped, isConsolidated, postsWrapped, type Call } from './calls';
import type { Subject, Version } from './life';

type PipelineProps = Partial<SlicedInferencePipelineProps>;
type FunctionProps = Partial<InferenceFunctionProps>;

interface Case {
  readonly title: string;
  /** 0 stands for an `InferenceFunction`. */
  readonly slices: number;
  /** What each update deploys: so many slices, or another model. */
  readonly updates?: readonly (number | 'other model')[];
  readonly props?: (stack: Stack) => PipelineProps | FunctionProps;
  /** During an update, the first is called. */
  readonly calls?: readonly Call[];
}

const { STANDARD: stateMachineType } = sfn.StateMachineType;
const { PRIVATE_ISOLATED: subnetType } = ec2.SubnetType;
const ARCHITECTURE = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;

const CASES: readonly Case[] = [
  {
    ...{ title: 'Standard, consolidation', slices: 3, updates: [5] },
    props: () => ({ stateMachineType, consolidation: Consolidation.ALWAYS }),
    calls: [infers(), isConsolidated],
  },
  {
    ...{ title: 'Express, VPC and keys', slices: 2 },
    // So that the key encrypts tensors.
    props: (stack) => ({ ...vpcAndKeys(stack), tensorsInState: false }),
  },
  {
    ...{ title: 'Express, functions before and after', slices: 2, updates: ['other model'] },
    props: (stack) => ({
      preprocess: inlineFunction(stack, 'Unwrap', 'event.request'),
      postprocess: inlineFunction(stack, 'Wrap', '({ result: event })'),
    }),
    calls: [invokesWrapped],
  },
  // Moved to a pipeline, and back.
  { title: 'Function', slices: 0, updates: ['other model', 2, 0] },
  { title: 'Function, VPC and keys', slices: 0, props: vpcAndKeys },
  {
    ...{ title: 'Function, own code and URL', slices: 0, updates: ['other model'] },
    props: () => ({
      preprocess: InferenceHandler.fromFolder(
        folderWith('event.body ? JSON.parse(text(event)).request : event.request'),
      ),
      postprocess: InferenceHandler.fromFolder(folderWith('({ result: event })')),
      functionUrl: true,
    }),
    calls: [invokesWrapped, postsWrapped],
  },
];

function vpcAndKeys(stack: Stack) {
  return {
    // MiniStack knows no gateways.
    vpc: new ec2.Vpc(stack, 'Vpc', {
      natGateways: 0,
      subnetConfiguration: [{ name: 'isolated', subnetType }],
    }),
    vpcSubnets: { subnetType },
    encryptionKey: new kms.Key(stack, 'Key', { removalPolicy: RemovalPolicy.DESTROY }),
    logEncryptionKey: new kms.Key(stack, 'LogKey', { removalPolicy: RemovalPolicy.DESTROY }),
  };
}

/** With a handler that returns the expression. */
function folderWith(expression: string): string {
  const folder = temporaryFolder();
  const text =
    "const text = ({ body, isBase64Encoded: coded }) => (coded ? Buffer.from(body, 'base64').toString() : body);";
  fs.writeFileSync(
    path.join(folder, 'index.js'),
    `${text}\nexports.handler = async (event) => ${expression};\n`,
  );
  return folder;
}

function inlineFunction(stack: Stack, id: string, expression: string): lambda.Function {
  return new lambda.Function(stack, id, {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline(`exports.handler = async (event) => ${expression};`),
  });
}

export function ownStacks(folder: string): Subject[] {
  return CASES.map((each) => subjectOf(each, fs.mkdtempSync(path.join(folder, 'stack-'))));
}

function subjectOf({ title, slices, updates = [], calls, props }: Case, folder: string): Subject {
  const stack = `Check${title.replaceAll(/[^A-Za-z0-9]+(.)/g, (_, next: string) => next.toUpperCase())}`;
  // Three nodes a layer.
  const init = mlp(Math.ceil(Math.max(slices, 1) / 3) + 1);
  const [model, otherModel] = [init, retrained(init)].map((each, index) =>
    saveModel(each, `model-${index}.onnx`, folder),
  );
  const version = (count: number, modelPath: string): Version['write'] => {
    return () => {
      const app = new App({ outdir: folder, analyticsReporting: false, treeMetadata: false });
      addModel(new Stack(app, stack), props, modelPath, count);
      app.synth();
      return modelPath;
    };
  };
  const versions: Version[] = [{ write: version(slices, model) }];
  let last = { count: slices, modelPath: model };
  for (const update of updates) {
    const next = update === 'other model' ? { ...last, modelPath: otherModel } : { ...last, count: update };
    versions.push({
      write: version(next.count, next.modelPath),
      isMove: (next.count === 0) !== (last.count === 0),
    });
    last = next;
  }
  return { title, stack, folder, versions, calls: calls ?? [infers(), infers('s3')] };
}

/** With a batch, which is only deployed: MiniStack runs no distributed Map whose arguments are in JSONata. */
function addModel(stack: Stack, props: Case['props'], modelPath: string, slices: number): void {
  const all = {
    ...{ modelPath, dimensions: { batch: 2 }, architecture: ARCHITECTURE },
    ...{ removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true },
    ...props?.(stack),
  };
  const model =
    slices === 0
      ? new InferenceFunction(stack, 'Pipeline', all as InferenceFunctionProps)
      : new SlicedInferencePipeline(stack, 'Pipeline', {
          ...(all as SlicedInferencePipelineProps),
          slicing: Slicing.count(slices),
        });
  const role = (id: string): iam.Role =>
    new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() });
  const caller = role('Caller');
  model.grantInvoke(caller);
  const outputs = {
    CallerRole: caller.roleArn,
    StrangerRole: role('Stranger').roleArn,
    ModelArn: model.invokeArn,
    ...(model instanceof InferenceFunction && model.url && { Url: model.url.url }),
  };
  for (const [id, value] of Object.entries(outputs)) new CfnOutput(stack, id, { value });
  new SlicedInferenceBatch(stack, 'Batch', { pipeline: model, items: BatchItems.objects('inputs/docs/') });
}
