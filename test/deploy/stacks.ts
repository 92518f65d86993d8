/** The stacks of the check's own app: small pipelines, each with another feature. */
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
  SlicedInferenceBatch,
  SlicedInferencePipeline,
  Slicing,
  type SlicedInferencePipelineProps,
} from '../../lib';
import { mlp, retrained, saveModel } from '../../test/support/model-builder';
import { infers, invokesWrapped, isConsolidated, type Call } from './calls';
import type { Subject } from './life';

type Props = Partial<SlicedInferencePipelineProps>;

interface Case {
  readonly title: string;
  readonly slices: number;
  /** So many slices after the update, or another model. */
  readonly update?: number | 'other model';
  readonly props?: (stack: Stack) => Props;
  /** During an update, the first is called. */
  readonly calls?: readonly Call[];
}

const { STANDARD: stateMachineType } = sfn.StateMachineType;
const { PRIVATE_ISOLATED: subnetType } = ec2.SubnetType;
const ARCHITECTURE = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;

const CASES: readonly Case[] = [
  {
    ...{ title: 'Standard, consolidation', slices: 3, update: 5 },
    props: () => ({ stateMachineType, consolidation: Consolidation.ALWAYS }),
    calls: [infers(), isConsolidated],
  },
  {
    ...{ title: 'Express, VPC and keys', slices: 2 },
    props: (stack) => ({
      // So that the key encrypts tensors.
      tensorsInState: false,
      // MiniStack knows no gateways.
      vpc: new ec2.Vpc(stack, 'Vpc', {
        natGateways: 0,
        subnetConfiguration: [{ name: 'isolated', subnetType }],
      }),
      vpcSubnets: { subnetType },
      encryptionKey: new kms.Key(stack, 'Key', { removalPolicy: RemovalPolicy.DESTROY }),
      logEncryptionKey: new kms.Key(stack, 'LogKey', { removalPolicy: RemovalPolicy.DESTROY }),
    }),
  },
  {
    ...{ title: 'Express, functions before and after', slices: 2, update: 'other model' },
    props: (stack) => ({
      preprocess: inlineFunction(stack, 'Unwrap', 'event.request'),
      postprocess: inlineFunction(stack, 'Wrap', '({ result: event })'),
    }),
    calls: [invokesWrapped],
  },
];

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

function subjectOf({ title, slices, update, calls, props }: Case, folder: string) {
  const stack = `Check${title.replaceAll(/[^A-Za-z0-9]+(.)/g, (_, next: string) => next.toUpperCase())}`;
  // Three nodes a layer.
  const init = mlp(Math.ceil(slices / 3) + 1);
  const [model, otherModel] = [init, retrained(init)].map((each, index) =>
    saveModel(each, `model-${index}.onnx`, folder),
  );
  const version = (count: number, modelPath: string) => (): string => {
    const app = new App({ outdir: folder, analyticsReporting: false, treeMetadata: false });
    addPipeline(new Stack(app, stack), props, { modelPath, slicing: Slicing.count(count) });
    app.synth();
    return modelPath;
  };
  const versions = [version(slices, model)];
  if (update !== undefined)
    versions.push(update === 'other model' ? version(slices, otherModel) : version(update, model));
  return { title, stack, folder, versions, calls: calls ?? [infers(), infers('s3')] };
}

/** With a batch, which is only deployed: MiniStack runs no distributed Map whose arguments are in JSONata. */
function addPipeline(stack: Stack, props: Case['props'], model: Props): void {
  const pipeline = new SlicedInferencePipeline(stack, 'Pipeline', {
    ...model,
    dimensions: { batch: 2 },
    architecture: ARCHITECTURE,
    removalPolicy: RemovalPolicy.DESTROY,
    autoDeleteObjects: true,
    ...props?.(stack),
  });
  const role = (id: string): iam.Role =>
    new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() });
  const caller = role('Caller');
  pipeline.grantInvoke(caller);
  new CfnOutput(stack, 'CallerRole', { value: caller.roleArn });
  new CfnOutput(stack, 'StrangerRole', { value: role('Stranger').roleArn });
  new CfnOutput(stack, 'PipelineArn', { value: pipeline.stateMachine.stateMachineArn });
  new SlicedInferenceBatch(stack, 'Batch', { pipeline, items: BatchItems.objects('inputs/docs/') });
}
