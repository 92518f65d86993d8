/** A stack in the local cloud that is measured, and whose functions can be made cold again. */
import { type CallTiming, type ExecutionOutput, encodeTensors } from '../client';
import type { PipelineSignature } from '../contract/signature';
import { LocalCloud, type LocalCloudOptions } from '../local';
import { inputsOf, type BenchModel } from './inputs';

export interface Run {
  readonly ms: number;
  readonly timings: readonly CallTiming[];
}

export interface Deployment {
  run(): Promise<Run>;
  /** Ends all sandboxes, so that the next run starts new ones with an empty `/tmp` and a full burst of the network. */
  makeCold(): Promise<void>;
  close(): Promise<void>;
}

const INPUT = 'inputs/bench.safetensors';

export async function deploy(
  model: BenchModel,
  assembly: string,
  options: Pick<LocalCloudOptions, 'simulation'> = {},
): Promise<Deployment> {
  const cloud = await LocalCloud.start(assembly, options);
  const { inputs } = cloud.pipeline.signature as unknown as PipelineSignature;
  await cloud.putObject(INPUT, encodeTensors(inputsOf(model, inputs)));
  const run = async (): Promise<Run> => {
    const start = performance.now();
    const result = await cloud.execute({ version: 1, inputs: { s3: INPUT }, output: { inline: 'never' } });
    const ms = performance.now() - start;
    if (result.status !== 'SUCCEEDED') throw new Error(`${model.name}: ${result.error}: ${result.cause}`);
    return { ms, timings: (result.output as unknown as ExecutionOutput).timings };
  };
  return { run, makeCold: () => cloud.endIdleSandboxes(), close: () => cloud.close() };
}
