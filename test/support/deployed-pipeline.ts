/** Synthesizes stacks with a pipeline and runs them in the local cloud, beside ONNX Runtime on the unsliced model. */
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { ExecutionOutput, FailureCause } from '../../client';
import { Session } from '../../lambda/slice/session';
import type { RawTensor } from '../../lambda/tensors/tensor';
import type { SlicedInferencePipelineProps } from '../../lib';
import { SlicedInferencePipeline } from '../../lib';
import type { ExecutionResult, LocalCloudOptions, TraceEvent } from '../../local';
import { LocalCloud } from '../../local';
import { temporaryFolder } from './model-builder';

/** Events of all clouds, in order. */
export const trace: TraceEvent[] = [];
const clouds: LocalCloud[] = [];
afterAll(() => Promise.all(clouds.map((cloud) => cloud.close())));

interface SynthesisOptions {
  readonly stackName?: string;
  /** Adds to the stack what uses the pipeline. */
  readonly use?: (stack: Stack, pipeline: SlicedInferencePipeline) => void;
}

/** Returns the folder of the assembly. `build` adds to the stack, and returns the props besides the model's path. */
export function synthesize(
  modelPath: string,
  build: (stack: Stack) => Partial<SlicedInferencePipelineProps>,
  { stackName = 'Test', use = () => undefined }: SynthesisOptions = {},
): string {
  const outdir = path.join(temporaryFolder(), 'cdk.out');
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, stackName);
  const pipeline = new SlicedInferencePipeline(stack, 'Pipeline', {
    modelPath,
    architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    ...build(stack),
  });
  use(stack, pipeline);
  app.synth();
  return outdir;
}

export async function start(assembly: string, options: LocalCloudOptions = {}): Promise<LocalCloud> {
  const cloud = await LocalCloud.start(assembly, { onTrace: (event) => trace.push(event), ...options });
  clouds.push(cloud);
  return cloud;
}

export function deploy(modelPath: string, props: Partial<SlicedInferencePipelineProps>): Promise<LocalCloud> {
  return start(synthesize(modelPath, () => props));
}

export async function unsliced(
  modelPath: string,
  inputs: ReadonlyMap<string, RawTensor>,
): Promise<Map<string, RawTensor>> {
  const session = await Session.open({ path: modelPath, threads: 1 });
  return session.run(inputs, session.outputNames);
}

export function float32(values: readonly number[], shape: readonly number[]): RawTensor {
  return { dtype: 'float32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

export const rows = (count: number, seed: number): Map<string, RawTensor> =>
  new Map([
    [
      'x',
      float32(
        Array.from({ length: count * 16 }, (_, index) => Math.cos(index * seed + seed)),
        [count, 16],
      ),
    ],
  ]);

export function succeeded(result: ExecutionResult): ExecutionOutput {
  if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
  return result.output as unknown as ExecutionOutput;
}

export function failed(result: ExecutionResult): { error: string; cause: FailureCause } {
  if (result.status === 'SUCCEEDED') throw new Error('the execution succeeded');
  return { error: result.error, cause: JSON.parse(result.cause) as FailureCause };
}
