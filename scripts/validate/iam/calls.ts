/** The calls that each role of a pipeline must be allowed to make, and calls that it must not be allowed to make. */
import * as fs from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { IConstruct } from 'constructs';
import { ENV } from '../../../contract/environment';
import { outputObjectKey, sliceObjectKey } from '../../../contract/keys';
import { SlicedInferencePipeline } from '../../../lib';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../../local/basics/json';
import { resourcesOf, type SynthesizedTemplate } from '../resolve';
import { callersOf, MODEL_KEYS, readerOf } from '../stacks';
import type { SynthesizedCase } from '../synthesize';

/** A call that a role makes, and whether IAM must allow it. */
export interface Call {
  /** ARN of the role. */
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
  readonly isNeeded: boolean;
}

const RUN = 'machine/monday';
const TLS = { 'aws:SecureTransport': 'true' };

/** Reads values of constructs as the services get them. */
class Values {
  constructor(private readonly subject: SynthesizedCase) {}

  text(scope: IConstruct, value: string): string {
    const stack = Stack.of(scope);
    return this.subject.resolved.text(this.template(stack), stack.resolve(value) as Json);
  }

  properties(scope: IConstruct): JsonObject {
    const stack = Stack.of(scope);
    const child = scope.node.defaultChild as lambda.CfnFunction;
    const logicalId = stack.resolve(child.logicalId) as string;
    const template = this.template(stack);
    const resource = resourcesOf(template).find((other) => other.logicalId === logicalId);
    const properties = this.subject.resolved.resolve(template, resource?.properties ?? null);
    if (isJsonObject(properties)) return properties;
    throw new Error(`${scope.node.path} has no properties`);
  }

  private template(stack: Stack): SynthesizedTemplate {
    const template = this.subject.templates.find(({ path }) => path === stack.node.path);
    if (template) return template;
    throw new Error(`no template of ${stack.node.path}`);
  }
}

export function callsOf(subject: SynthesizedCase): Call[] {
  const values = new Values(subject);
  const constructs = subject.app.node.findAll();
  const pipelines = constructs.filter((construct) => construct instanceof SlicedInferencePipeline);
  return [
    ...pipelines.flatMap((pipeline) => [
      ...sliceCalls(values, pipeline, constructs),
      ...userCalls(values, pipeline, constructs),
    ]),
    ...constructs
      .filter((construct) => construct instanceof sfn.StateMachine)
      .flatMap((machine) => machineCalls(values, machine)),
  ];
}

/** Makes calls of one role. */
function caller(values: Values, role: iam.IRole | undefined) {
  if (!role) throw new Error('a function has no role');
  const arn = values.text(role, role.roleArn);
  return (
    isNeeded: boolean,
    action: string,
    resources: readonly string[],
    context: Readonly<Record<string, string>> = TLS,
  ): Call[] => resources.map((resource) => ({ role: arn, action, resource, context, isNeeded }));
}

/** The keys of objects in the pipeline's bucket that a slice reads, and the key that it writes. */
function keysOf(plan: SlicePlan, slice: number): { readonly reads: string[]; readonly writes: string } {
  const isLast = slice === plan.slices.length - 1;
  const sources = [...plan.slices[slice].inputs, ...(isLast ? plan.outputs : [])].map(({ source }) => source);
  const isFromRequest = slice === 0 || sources.some(({ from }) => from === 'request');
  const slices = sources.flatMap((source) => (source.from === 'slice' ? [source.slice] : []));
  const others = new Set(slices.filter((other) => other !== slice));
  const writes = isLast ? outputObjectKey(RUN) : sliceObjectKey(RUN, slice);
  return {
    reads: [
      ...(isFromRequest ? ['inputs/request.safetensors'] : []),
      ...[...others].map((other) => sliceObjectKey(RUN, other)),
      ...(isLast ? [writes] : []),
    ],
    writes,
  };
}

function sliceCalls(
  values: Values,
  pipeline: SlicedInferencePipeline,
  constructs: readonly IConstruct[],
): Call[] {
  const plan = JSON.parse(fs.readFileSync(pipeline.planPath, 'utf8')) as SlicePlan;
  const bucket = values.text(pipeline, pipeline.bucket.bucketArn);
  const functions = pipeline.functions.map((fn) => ({ fn, properties: values.properties(fn) }));
  const filesOf = functions.map(({ properties }) => filesIn(variablesOf(properties)));
  return functions.flatMap(({ fn, properties }, slice) => {
    const call = caller(values, fn.role);
    const { reads, writes } = keysOf(plan, slice);
    const { [ENV.runsBucket]: directoryBucket } = variablesOf(properties);
    const isElsewhere = (key: string): boolean => directoryBucket !== undefined && key.startsWith('runs/');
    const read = reads.filter((key) => !isElsewhere(key));
    const written = isElsewhere(writes) ? [] : [writes];
    const objects = (keys: readonly string[]): string[] => keys.map((key) => `${bucket}/${key}`);
    const all = [
      'inputs/other',
      outputObjectKey(RUN),
      ...plan.slices.map((_, other) => sliceObjectKey(RUN, other)),
    ];
    const isRead = (key: string): boolean =>
      read.some((own) => own === key || (own.startsWith('inputs/') && key.startsWith('inputs/')));
    const neighbors = filesOf.filter((_, other) => Math.abs(other - slice) === 1).flat();
    return [
      ...call(true, 's3:GetObject', [...objects(read), ...filesOf[slice]]),
      ...call(true, 's3:PutObject', objects(written)),
      ...call(false, 's3:GetObject', [
        ...objects(near(all, slice).filter((key) => !isRead(key))),
        ...neighbors.filter((file) => !filesOf[slice].includes(file)),
      ]),
      ...call(false, 's3:PutObject', [
        ...objects(near(all, slice).filter((key) => !written.includes(key))),
        ...filesOf[slice],
      ]),
      ...call(false, 's3:DeleteObject', objects(all.slice(0, 3))),
      ...call(false, 's3:ListBucket', [bucket]),
      ...sessionCalls(values, fn, { directoryBucket, reads, writes }, call),
      ...logCalls(values, fn, properties, call),
      ...keyCalls(values, pipeline, constructs, call),
      ...networkCalls(values, pipeline, properties, call),
      ...call(false, 'lambda:InvokeFunction', [values.text(fn, fn.functionArn)]),
    ];
  });
}

/** Requests, results and the objects of this slice, its neighbors and the first one. All objects of all slices would be too many. */
function near(keys: readonly string[], slice: number): string[] {
  return keys.filter((_, index) => index < 3 || Math.abs(index - 2 - slice) <= 1);
}

function variablesOf({ Environment }: JsonObject): Readonly<Record<string, string | undefined>> {
  const variables = isJsonObject(Environment) ? Environment.Variables : undefined;
  return isJsonObject(variables) ? (variables as Record<string, string>) : {};
}

/** ARNs of the slice's files. */
function filesIn(variables: Readonly<Record<string, string | undefined>>): string[] {
  return [variables[ENV.modelUri], variables[ENV.weightsUri]].flatMap((uri) =>
    uri === undefined ? [] : [uri.replace('s3://', 'arn:aws:s3:::')],
  );
}

type MakeCall = ReturnType<typeof caller>;

/** A slice that writes nothing to the directory bucket needs only a session that reads. */
function sessionCalls(
  values: Values,
  fn: lambda.Function,
  own: { readonly directoryBucket: string | undefined; readonly reads: string[]; readonly writes: string },
  call: MakeCall,
): Call[] {
  if (own.directoryBucket === undefined) return [];
  const { partition, region, account } = Stack.of(fn);
  const bucket = `${values.text(fn, `arn:${partition}:s3express:${region}:${account}`)}:bucket/${own.directoryBucket}`;
  const session = (isNeeded: boolean, mode: string): Call[] =>
    call(isNeeded, 's3express:CreateSession', [bucket], { ...TLS, 's3express:SessionMode': mode });
  const writes = own.writes.startsWith('runs/');
  return [
    ...session(writes || own.reads.some((key) => key.startsWith('runs/')), 'ReadOnly'),
    ...session(writes, 'ReadWrite'),
    ...call(false, 's3express:DeleteBucket', [bucket]),
  ];
}

function logCalls(
  values: Values,
  fn: lambda.Function,
  { LoggingConfig }: JsonObject,
  call: MakeCall,
): Call[] {
  const group = isJsonObject(LoggingConfig) ? LoggingConfig.LogGroup : undefined;
  if (typeof group !== 'string') throw new Error(`${fn.node.path} has no log group`);
  const { partition, region, account } = Stack.of(fn);
  const stream = (name: string): string =>
    `${values.text(fn, `arn:${partition}:logs:${region}:${account}`)}:log-group:${name}:log-stream:2026`;
  return [
    ...call(true, 'logs:CreateLogStream', [stream(group)]),
    ...call(true, 'logs:PutLogEvents', [stream(group)]),
    ...call(false, 'logs:PutLogEvents', [stream('other')]),
  ];
}

/** S3 may use the keys for the role, and the role itself may not. */
function keyCalls(
  values: Values,
  pipeline: SlicedInferencePipeline,
  constructs: readonly IConstruct[],
  call: MakeCall,
): Call[] {
  const service = `s3.${values.text(pipeline, Stack.of(pipeline).region)}.amazonaws.com`;
  const viaS3 = { 'kms:ViaService': service };
  const { encryptionKey } = pipeline.bucket;
  const own = encryptionKey ? [values.text(pipeline, encryptionKey.keyArn)] : [];
  const models = constructs
    .filter(({ node }) => MODEL_KEYS.includes(node.id))
    .map((key) => values.text(pipeline, (key as kms.IKey).keyArn));
  return [
    ...call(true, 'kms:Decrypt', [...own, ...models], viaS3),
    ...call(true, 'kms:GenerateDataKey', own, viaS3),
    ...call(false, 'kms:GenerateDataKey', models, viaS3),
    ...call(false, 'kms:Decrypt', [...own, ...models], {}),
    ...call(false, 'kms:ScheduleKeyDeletion', [...own, ...models], viaS3),
  ];
}

function networkCalls(
  values: Values,
  pipeline: SlicedInferencePipeline,
  { VpcConfig }: JsonObject,
  call: MakeCall,
): Call[] {
  const { region, account, partition } = Stack.of(pipeline);
  const network = values.text(pipeline, `arn:${partition}:ec2:${region}:${account}:network-interface/eni-1`);
  return [
    ...call(VpcConfig !== undefined, 'ec2:CreateNetworkInterface', [network], {}),
    ...call(false, 'ec2:ModifyNetworkInterfaceAttribute', [network], {}),
  ];
}

/** The calls of roles and functions that a stack grants the use of the pipeline to. */
function userCalls(
  values: Values,
  pipeline: SlicedInferencePipeline,
  constructs: readonly IConstruct[],
): Call[] {
  const { stateMachine } = pipeline;
  const machine = values.text(stateMachine, stateMachine.stateMachineArn);
  const bucket = values.text(pipeline, pipeline.bucket.bucketArn);
  const isExpress = values.properties(stateMachine).StateMachineType === 'EXPRESS';
  const result = `${bucket}/${outputObjectKey(RUN)}`;
  const request = `${bucket}/inputs/request.safetensors`;
  const withId = (id: string): unknown[] => constructs.filter(({ node }) => node.id === id);
  const callers = withId(callersOf(pipeline.node.id)).flatMap((role) => {
    const call = caller(values, role as iam.IRole);
    return [
      ...call(true, 'states:StartExecution', [machine]),
      ...call(true, 'states:DescribeStateMachine', [machine]),
      ...call(isExpress, 'states:StartSyncExecution', [machine]),
      ...call(!isExpress, 'states:DescribeExecution', [
        `${machine.replace(':stateMachine:', ':execution:')}:monday`,
      ]),
      ...call(false, 'states:UpdateStateMachine', [machine]),
      ...call(true, 's3:PutObject', [request]),
      ...call(false, 's3:PutObject', [result]),
      ...call(true, 's3:GetObject', [result]),
      ...call(false, 's3:GetObject', [`${bucket}/${sliceObjectKey(RUN, 0)}`]),
      ...keyCalls(values, pipeline, [], call),
    ];
  });
  const readers = withId(readerOf(pipeline.node.id)).flatMap((fn) => {
    const call = caller(values, (fn as lambda.IFunction).role);
    return [
      ...call(true, 's3:GetObject', [result]),
      ...call(false, 's3:PutObject', [request]),
      ...call(false, 'states:StartExecution', [machine]),
    ];
  });
  return [...callers, ...readers];
}

/** The role of a state machine calls the functions of its definition, and no others. */
function machineCalls(values: Values, machine: sfn.StateMachine): Call[] {
  const { DefinitionString, TracingConfiguration } = values.properties(machine);
  const definition = JSON.parse(typeof DefinitionString === 'string' ? DefinitionString : '{}') as JsonObject;
  const functions = [...new Set(functionNames(definition))].map((arn) =>
    arn.startsWith('arn:') ? arn : `arn:aws:lambda:us-east-1:000000000000:function:${arn}`,
  );
  const call = caller(values, machine.role);
  const isTraced = isJsonObject(TracingConfiguration) && TracingConfiguration.Enabled === true;
  return [
    ...call(true, 'lambda:InvokeFunction', functions),
    ...call(false, 'lambda:InvokeFunction', ['arn:aws:lambda:us-east-1:000000000000:function:other:1']),
    ...call(false, 'lambda:UpdateFunctionCode', functions.map(unqualified)),
    ...call(isTraced, 'xray:PutTraceSegments', ['*'], {}),
  ];
}

function unqualified(arn: string): string {
  return arn.split(':').slice(0, 7).join(':');
}

function functionNames(value: Json): string[] {
  if (isJsonArray(value)) return value.flatMap(functionNames);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    name === 'FunctionName' && typeof item === 'string' ? [item] : functionNames(item ?? null),
  );
}
