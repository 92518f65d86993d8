/** The calls of slice functions: to their files, to objects of runs, to logs, keys and the network. */
import * as fs from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import { ENV } from '../../../contract/environment';
import { outputObjectKey, sliceObjectKey } from '../../../contract/keys';
import type { SlicedInferencePipeline } from '../../../lib';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { isJsonObject, type JsonObject } from '../../../local/basics/json';
import { caller, RUN, TLS, type Call, type MakeCall, type Values } from './call';
import { keyCalls } from './key-calls';

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

export function sliceCalls(
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
      ...call(isTraced(properties), 'xray:PutTraceSegments', ['*'], {}),
      ...call(false, 'lambda:InvokeFunction', [values.text(fn, fn.functionArn)]),
    ];
  });
}

/** Requests, results and the objects of this slice, its neighbors and the first one. All objects of all slices would be too many. */
function near(keys: readonly string[], slice: number): string[] {
  return keys.filter((_, index) => index < 3 || Math.abs(index - 2 - slice) <= 1);
}

function isTraced({ TracingConfig }: JsonObject): boolean {
  return isJsonObject(TracingConfig) && TracingConfig.Mode === 'Active';
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
