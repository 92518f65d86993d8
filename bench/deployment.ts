/** A stack in the local cloud that is measured, and whose functions can be made cold again. */
import { encodeTensors, type CallTiming, type ExecutionOutput } from '../client';
import type { PipelineSignature } from '../contract/signature';
import { LocalCloud, type Json, type LocalCloudOptions } from '../local';
import { inputsOf, type BenchModel } from './inputs';

export interface Run {
  readonly ms: number;
  readonly timings: readonly CallTiming[];
}

const INPUT = 'inputs/bench.safetensors';

type Options = Pick<LocalCloudOptions, 'simulation' | 'tls'>;

export class Deployment {
  private constructor(
    private readonly name: string,
    private readonly cloud: LocalCloud,
    private readonly request: Json,
  ) {}

  static async start(model: BenchModel, assembly: string, options: Options): Promise<Deployment> {
    const cloud = await LocalCloud.start(assembly, options);
    const { inputs } = cloud.pipeline.signature as unknown as PipelineSignature;
    await cloud.putObject(INPUT, encodeTensors(inputsOf(model, inputs)));
    const request = { version: 1, inputs: { s3: INPUT }, output: { inline: 'never' } };
    return new Deployment(model.name, cloud, request);
  }

  async run(): Promise<Run> {
    const start = performance.now();
    const result = await this.cloud.execute(this.request);
    const ms = performance.now() - start;
    if (result.status !== 'SUCCEEDED') throw new Error(`${this.name}: ${result.error}: ${result.cause}`);
    const { timings } = result.output as unknown as ExecutionOutput;
    return { ms, timings };
  }

  /** Ends all sandboxes, so that the next run starts new ones with an empty `/tmp` and a full burst of the network. */
  makeCold(): Promise<void> {
    return this.cloud.endIdleSandboxes();
  }

  close(): Promise<void> {
    return this.cloud.close();
  }
}
