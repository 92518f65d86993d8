/** Synthesizes stacks with a pipeline and runs them in the local cloud, which is closed after the test file. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { seededRandom } from '../../local/seeded-random';
import { addSpecialValues } from '../../local/special-values';
import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { encodeInlineTensor, parseFailureCause, type ExecutionOutput, type FailureCause } from '../../client';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { type SlicedInferencePipelineProps, SlicedInferencePipeline } from '../../lib';
import {
  type ExecutionResult,
  type JsonObject,
  type LocalCloudOptions,
  type TraceEvent,
  LocalCloud,
  infer,
} from '../../local';
import { CodeFolders } from '../../local/lambda/code';
import { askOneProcess, readingFreshFilesAtOnce } from './inference/fast-analysis';
import { expectSameBits, runWhole } from './run-slices';
import { shareZips } from './share-zips';
import { sharedFolder, temporaryFolder } from './temporary-folder';
import { float32 } from './tensors';

askOneProcess();
shareCode();

/** The functions run on this machine. */
export const ARCHITECTURE =
  process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;

/** Events of all clouds in the order of their time. */
export const trace: TraceEvent[] = [];
const clouds: LocalCloud[] = [];
afterAll(() => Promise.all(clouds.map((cloud) => cloud.close())));

interface SynthesisOptions {
  readonly stackName?: string;
  /** Adds constructs that use the pipeline to the stack. */
  readonly use?: (stack: Stack, pipeline: SlicedInferencePipeline) => void;
}

/**
 * Returns the folder of the assembly. `build` returns the props of the pipeline besides the model's path; it may add
 * the constructs that they need to the stack.
 */
export function synthesize(
  modelPath: string,
  build: (stack: Stack) => Partial<SlicedInferencePipelineProps>,
  { stackName = 'Test', use = () => undefined }: SynthesisOptions = {},
): string {
  return readingFreshFilesAtOnce(() => {
    const outdir = path.join(temporaryFolder(), 'cdk.out');
    const app = new App({ outdir, analyticsReporting: false });
    const stack = new Stack(app, stackName);
    const props = { modelPath, architecture: ARCHITECTURE, ...build(stack) };
    use(stack, new SlicedInferencePipeline(stack, 'Pipeline', props));
    return shareZips(app.synth().directory);
  });
}

export async function start(assembly: string, options: LocalCloudOptions = {}): Promise<LocalCloud> {
  const cloud = await LocalCloud.start(assembly, { onTrace: (event) => trace.push(event), ...options });
  clouds.push(cloud);
  return cloud;
}

export function deploy(modelPath: string, props: Partial<SlicedInferencePipelineProps>): Promise<LocalCloud> {
  return start(synthesize(modelPath, () => props));
}

/** A function of the user, with this `index.js`. */
export function userFunction(stack: Stack, id: string, source: string): lambda.Function {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'index.js'), source);
  return new lambda.Function(stack, id, {
    code: lambda.Code.fromAsset(folder),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_22_X,
    architecture: ARCHITECTURE,
  });
}

/** A request that has the tensors inside. */
export function requestOf(inputs: ReadonlyMap<string, RawTensor>, more: JsonObject = {}): JsonObject {
  const tensors = Object.fromEntries([...inputs].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]));
  return { version: 1, inputs: { tensors: tensors as unknown as JsonObject }, ...more };
}

/** Runs the pipeline, and fails unless the results have the bits of ONNX Runtime on the whole model. */
export async function runAsWhole(
  cloud: LocalCloud,
  model: string,
  inputs: ReadonlyMap<string, RawTensor>,
): Promise<ExecutionOutput> {
  const result = await infer(cloud, inputs);
  if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
  expectSameBits(result.outputs, await runWhole(model, inputs));
  return result.execution;
}

/** An input `x` of float32 [count, 16], for models of `mlp`. */
export function rows(count: number, seed: number): Map<string, RawTensor> {
  const x = float32(
    [count, 16],
    Array.from({ length: count * 16 }, (_, index) => Math.cos(index * seed + seed)),
  );
  addSpecialValues('float32', x.bytes, 'numbers', 8, seededRandom(seed));
  return new Map([['x', x]]);
}

/** Returns the output of an execution that succeeded; throws for one that failed. */
export function succeeded(result: ExecutionResult): ExecutionOutput {
  if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
  return result.output as unknown as ExecutionOutput;
}

/** Returns the error of an execution that failed; throws for one that succeeded. */
export function failed(result: ExecutionResult): { error: string; cause: FailureCause } {
  if (result.status === 'SUCCEEDED') throw new Error('the execution succeeded');
  return { error: result.error, cause: parseFailureCause(result.cause) };
}

type Unpack = (this: CodeFolders, code: Parameters<CodeFolders['folderOf']>[0]) => Promise<string>;

/**
 * Unpacks the code of functions once for all local clouds of a Jest worker: ONNX Runtime takes longer than a small run. The keys of assets have
 * the digests of their contents.
 */
function shareCode(): void {
  const unpacked = path.join(sharedFolder(), 'code');
  fs.mkdirSync(unpacked, { recursive: true });
  const folderOf: Unpack = Reflect.get(CodeFolders.prototype, 'folderOf');
  jest.spyOn(CodeFolders.prototype, 'folderOf').mockImplementation(async function (this: CodeFolders, code) {
    const folder = path.join(unpacked, code.key);
    if (fs.existsSync(folder)) return folder;
    const own = await folderOf.call(this, code);
    // Another function may have been faster.
    if (!fs.existsSync(folder)) fs.renameSync(own, folder);
    return folder;
  });
}
