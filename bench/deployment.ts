/** Runs a stack once in the local cloud. */
import { type CallTiming, type ExecutionOutput, encodeTensors } from '../client';
import type { PipelineSignature } from '../contract/signature';
import { LocalCloud } from '../local';
import { inputsOf, type BenchModel } from './inputs';

const INPUT = 'inputs/bench.safetensors';

export async function timingsOf(model: BenchModel, assembly: string): Promise<readonly CallTiming[]> {
  const cloud = await LocalCloud.start(assembly);
  try {
    const { inputs } = cloud.pipeline.signature as unknown as PipelineSignature;
    await cloud.putObject(INPUT, encodeTensors(inputsOf(model, inputs)));
    const result = await cloud.execute({ version: 1, inputs: { s3: INPUT }, output: { inline: 'never' } });
    if (result.status !== 'SUCCEEDED') throw new Error(`${model.name}: ${result.error}: ${result.cause}`);
    return (result.output as unknown as ExecutionOutput).timings;
  } finally {
    await cloud.close();
  }
}
