/** A function of a whole model in the local cloud, beside a pipeline of one slice and a bare handler of the same model. */
import * as path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import {
  type CallTiming,
  encodeInlineTensor,
  type NumericTensor,
  type RawTensor,
  SlicedInferenceClient,
  type TensorInputs,
} from '../../client';
import type { PipelineSignature } from '../../contract/signature';
import { bytesOf, typedView } from '../../lambda/tensors/tensor';
import { readPlan } from '../../lib/compile/files/read-plan';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { LocalCloud, type LocalCloudOptions } from '../../local';
import { inputsOf, type BenchModel } from '../inputs';
import { run } from '../measure';
import type { BareAnswer } from './bare';

export interface FunctionSubject {
  readonly outdir: string;
  readonly model: BenchModel;
  /** Of all functions; by default that of the `InferenceFunction`. */
  readonly memoryMb?: number;
}

export interface Called {
  /** From the caller's tensors to the caller's tensors. */
  readonly ms: number;
  /** Of ONNX Runtime, in the function. */
  readonly runMs: number;
  readonly peakMemoryBytes: number;
  /** Of the outputs, by name. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
  /** Absent for the bare handler. */
  readonly timing?: CallTiming;
}

export const WAYS = ['function', 'pipeline', 'bare'] as const;
export type Way = (typeof WAYS)[number];

export interface DeployedFunction {
  readonly plan: SlicePlan;
  readonly threads: number;
  readonly inputs: ReadonlyMap<string, RawTensor>;
  readonly cloud: LocalCloud;
  call(way: Way): Promise<Called>;
  close(): Promise<void>;
}

export async function deployFunction(
  subject: FunctionSubject,
  options: Pick<LocalCloudOptions, 'nodeBinaries'> = {},
): Promise<DeployedFunction> {
  run(process.execPath, [path.join(__dirname, 'stack-child.js'), JSON.stringify(subject)], {
    env: { CDK_VALIDATION: 'false' },
  });
  const cloud = await LocalCloud.start(subject.outdir, { ...options, pipeline: 'Whole' });
  const signature = cloud.pipeline.signature as unknown as PipelineSignature;
  const { threads } = signature;
  const inputs = inputsOf(subject.model, signature.inputs);
  const own = { s3: new S3Client(cloud.s3), lambda: new LambdaClient(cloud.lambda) };
  const stepFunctions = new SFNClient(cloud.stepFunctions);
  const { stateMachineArn = '' } =
    cloud.pipelines.find(({ stateMachineType }) => stateMachineType === 'EXPRESS') ?? {};
  const whole = new SlicedInferenceClient({ ...own, functionName: cloud.pipeline.stateMachineArn });
  const pipeline = new SlicedInferenceClient({ ...own, stepFunctions, stateMachineArn });
  const calls = {
    function: () => inferred(whole, inputs),
    pipeline: () => inferred(pipeline, inputs),
    bare: () => invokedBare(own.lambda, inputs, threads),
  };
  const close = async (): Promise<void> => {
    for (const client of [own.s3, own.lambda, stepFunctions]) client.destroy();
    await cloud.close();
  };
  const plan = readPlan(path.join(subject.outdir, 'whole-plan.json'));
  return { plan, threads, inputs, cloud, call: (way) => calls[way](), close };
}

async function inferred(
  client: SlicedInferenceClient,
  inputs: ReadonlyMap<string, RawTensor>,
): Promise<Called> {
  const tensors = [...inputs].map(([name, tensor]) => {
    const { dtype, shape } = tensor;
    return [name, { dtype, shape, data: typedView(tensor as NumericTensor) }];
  });
  const request = Object.fromEntries(tensors) as TensorInputs;
  const start = performance.now();
  const { outputs, timings } = await client.infer(request);
  const ms = performance.now() - start;
  const [timing] = timings;
  const bytes = Object.entries(outputs).map(
    ([name, { data }]) => [name, bytesOf(data as ArrayBufferView)] as const,
  );
  return { ms, timing, bytes: new Map(bytes), ...timing };
}

async function invokedBare(
  client: LambdaClient,
  inputs: ReadonlyMap<string, RawTensor>,
  threads: number,
): Promise<Called> {
  const start = performance.now();
  const encoded = [...inputs].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]);
  const event = JSON.stringify({ threads, tensors: Object.fromEntries(encoded) as object });
  const answer = await client.send(new InvokeCommand({ FunctionName: 'bare', Payload: Buffer.from(event) }));
  const text = Buffer.from(answer.Payload ?? []).toString('utf8');
  if (answer.FunctionError !== undefined) throw new Error(`the bare function failed: ${text}`);
  const { tensors, runMs, peakMemoryBytes } = JSON.parse(text) as BareAnswer;
  const bytes = Object.entries(tensors).map(
    ([name, { base64 }]) => [name, Buffer.from(base64, 'base64')] as const,
  );
  return { ms: performance.now() - start, runMs, peakMemoryBytes, bytes: new Map(bytes) };
}
