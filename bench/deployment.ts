/** A stack in the local cloud that is measured, and whose functions can be made cold again. */
import { encodeTensors, type CallTiming, type ExecutionOutput, type RawTensor } from '../client';
import type { PipelineSignature } from '../contract/signature';
import { LocalCloud, type Json, type LocalCloudOptions } from '../local';
import { inputsOf, type BenchModel } from './inputs';

export interface Run {
  readonly ms: number;
  /** Empty for naive functions. */
  readonly timings: readonly CallTiming[];
}

const INPUT = 'inputs/bench.safetensors';
const NAIVE_INPUT = 'inputs/bench.json';

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

  /** @param models of the functions, with their weights */
  static async startNaive(
    assembly: string,
    inputs: ReadonlyMap<string, RawTensor>,
    models: readonly Uint8Array[],
    options: Options,
  ): Promise<Deployment> {
    const cloud = await LocalCloud.start(assembly, options);
    for (const [slice, model] of models.entries()) await cloud.putObject(`models/${slice}.onnx`, model);
    const tensors = [...inputs].map(([name, { dtype, shape, ...rest }]) => {
      const { bytes } = rest as { bytes: Uint8Array };
      return [name, { type: dtype, dims: shape, data: Array.from(new BigInt64Array(bytes.buffer), Number) }];
    });
    await cloud.putObject(NAIVE_INPUT, Buffer.from(JSON.stringify(Object.fromEntries(tensors))));
    return new Deployment('naive', cloud, { input: NAIVE_INPUT });
  }

  async run(): Promise<Run> {
    const start = performance.now();
    const result = await this.cloud.execute(this.request);
    const ms = performance.now() - start;
    if (result.status !== 'SUCCEEDED') throw new Error(`${this.name}: ${result.error}: ${result.cause}`);
    const { timings = [] } = result.output as unknown as Partial<ExecutionOutput>;
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
