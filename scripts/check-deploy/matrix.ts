/** The stacks of the check's own app: small pipelines, each with another feature. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import {
  App,
  CfnOutput,
  RemovalPolicy,
  Stack,
  aws_apigatewayv2 as apigateway,
  aws_ec2 as ec2,
  aws_iam as iam,
  aws_kms as kms,
  aws_lambda as lambda,
  aws_stepfunctions as sfn,
} from 'aws-cdk-lib';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpStepFunctionsIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import {
  Consolidation,
  SlicedInferencePipeline,
  Slicing,
  type SlicedInferencePipelineProps,
} from '../../lib';
import { mlp, retrained, saveModel } from '../../test/support/model-builder';
import { answersHttp, answersJson, isConsolidated } from './calls';
import { CALLER_ROLE, STRANGER_ROLE, type OtherCall, type Subject } from './life';
import type { Form } from './pipelines';

type Props = Partial<SlicedInferencePipelineProps>;

interface Case {
  readonly title: string;
  /** Before the update, and after it if there is one. */
  readonly slices: readonly [number, number?];
  readonly props?: (stack: Stack) => Props;
  readonly use?: (stack: Stack, pipeline: SlicedInferencePipeline, caller: iam.Role) => void;
  readonly calls?: readonly OtherCall[];
  /** @default - that of a pipeline */
  readonly form?: Form;
}

const URL_OUTPUT = 'Url';

const { STANDARD } = sfn.StateMachineType;
const { PRIVATE_ISOLATED: subnetType } = ec2.SubnetType;
const ARCHITECTURE = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;

/** What the functions before and after the slices take off and add. */
const WRAPPED: Form = {
  wrap: (request) => ({ request }),
  unwrap: ({ result }: { readonly result: unknown }) => result,
};

const SURROUNDINGS: readonly Case[] = [
  { title: 'tensors in the state', slices: [3, 5] },
  { title: 'tensors in S3', slices: [3, 5], props: () => ({ tensorsInState: false }) },
  {
    title: 'consolidation',
    slices: [3, 5],
    props: () => ({ consolidation: Consolidation.ALWAYS }),
    calls: [['other calls', isConsolidated]],
  },
  {
    title: 'VPC and keys',
    slices: [2, 3],
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
    title: 'functions before and after',
    slices: [2, 3],
    props: (stack) => ({
      preprocess: inlineFunction(stack, 'Unwrap', 'event.request'),
      postprocess: inlineFunction(stack, 'Wrap', '({ result: event })'),
    }),
    form: WRAPPED,
  },
];

const FRAGMENTS: readonly Case[] = [
  fragment('Express, fragment in JSONata', (stack, pipeline) => ({
    chain: pipeline.asFragment(stack, 'Run'),
    stateMachineType: sfn.StateMachineType.EXPRESS,
    queryLanguage: sfn.QueryLanguage.JSONATA,
  })),
  fragment('Standard, fragment in JSONPath', (stack, pipeline) => ({
    chain: new sfn.Pass(stack, 'Before').next(pipeline.asFragment(stack, 'Run')),
  })),
];

function fragment(
  title: string,
  own: (stack: Stack, pipeline: SlicedInferencePipeline) => { readonly chain: sfn.IChainable },
): Case {
  return {
    ...{ title, slices: [2, 3], calls: [['other calls', answersJson('Own')]] },
    use: (stack, pipeline, caller) => {
      const { chain, ...props } = own(stack, pipeline);
      const definitionBody = sfn.DefinitionBody.fromChainable(chain);
      const machine = new sfn.StateMachine(stack, 'Own', { definitionBody, ...props });
      machine.grantRead(caller);
      machine.grantStartExecution(caller);
      machine.grantStartSyncExecution(caller);
    },
  };
}

function inlineFunction(stack: Stack, id: string, expression: string): lambda.Function {
  return new lambda.Function(stack, id, {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline(`exports.handler = async (event) => ${expression};`),
  });
}

/** Without an update, after which twice as many functions would hold memory. */
const MANY: Case = { title: '100 slices', slices: [100] };

/** An Express machine is also called over HTTP. */
const CASES: readonly Case[] = [
  ...[...SURROUNDINGS, MANY].flatMap((each): Case[] => [
    {
      ...each,
      title: `Express, ${each.title}`,
      use: addHttpApi,
      calls: [...(each.calls ?? []), ['HTTP API', answersHttp(URL_OUTPUT, each.form)]],
    },
    {
      ...each,
      title: `Standard, ${each.title}`,
      props: (stack) => ({ ...each.props?.(stack), stateMachineType: STANDARD }),
    },
  ]),
  ...FRAGMENTS,
];

function addHttpApi(stack: Stack, { stateMachine }: SlicedInferencePipeline): void {
  const api = new apigateway.HttpApi(stack, 'Api');
  const parameterMapping = new apigateway.ParameterMapping()
    .custom('StateMachineArn', stateMachine.stateMachineArn)
    .custom('Input', '$request.body');
  api.addRoutes({
    path: '/run',
    methods: [apigateway.HttpMethod.POST],
    authorizer: new HttpIamAuthorizer(),
    integration: new HttpStepFunctionsIntegration('Run', {
      stateMachine,
      subtype: apigateway.HttpIntegrationSubtype.STEPFUNCTIONS_START_SYNC_EXECUTION,
      parameterMapping,
    }),
  });
  new CfnOutput(stack, URL_OUTPUT, { value: `${api.apiEndpoint}/run` });
}

export function matrix(folder: string): Subject[] {
  return CASES.map((each) => subjectOf(each, fs.mkdtempSync(path.join(folder, 'stack-'))));
}

function subjectOf(each: Case, folder: string): Subject {
  const { title, slices } = each;
  const stack = `Check${title.replaceAll(/[^A-Za-z0-9]+(.)/g, (_, next: string) => next.toUpperCase())}`;
  const [before, after] = slices;
  // Three nodes a layer.
  const init = mlp(Math.ceil(Math.max(before, after ?? 0) / 3) + 1);
  const models = [init, retrained(init)].map((model, index) =>
    saveModel(model, `model-${index}.onnx`, folder),
  );
  let [count, modelPath] = [before, models[0]];
  const outdir = path.join(folder, 'cdk.out');
  const synthesize = (): void => {
    fs.rmSync(outdir, { recursive: true, force: true });
    const app = new App({ outdir, analyticsReporting: false, treeMetadata: false });
    addPipeline(new Stack(app, stack), each, { modelPath, slicing: Slicing.count(count) });
    app.synth();
  };
  return {
    ...{ title, stack, calls: each.calls ?? [], form: each.form, isAlone: before >= 100 },
    app: { app: outdir, cwd: folder, synthesize },
    models: () => ({ Pipeline: { path: modelPath, dimensions: { batch: 2 } } }),
    changes:
      after === undefined
        ? []
        : [
            ['other slices', () => (count = after)],
            ['other model', () => (modelPath = models[1])],
          ],
  };
}

function addPipeline(stack: Stack, { props, use }: Case, model: Props): void {
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
  new CfnOutput(stack, CALLER_ROLE, { value: caller.roleArn });
  new CfnOutput(stack, STRANGER_ROLE, { value: role('Stranger').roleArn });
  use?.(stack, pipeline, caller);
}
