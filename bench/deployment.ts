/** A stack in the local cloud that is measured, and whose functions can be made cold again. */
import { createHash } from 'node:crypto';
import { encodeTensors, type CallTiming, type ExecutionOutput, type RawTensor } from '../client';
import type { PipelineSignature } from '../contract/signature';
import { LocalCloud, type Json, type LocalCloudOptions, type TraceEvent } from '../local';
import { inputsOf, type BenchModel } from './inputs';
import { processCpuMs } from './process-cpu';

export interface Run {
  readonly ms: number;
  /** Empty for naive functions. */
  readonly timings: readonly CallTiming[];
  readonly output: ExecutionOutput;
}

const INPUT = 'inputs/bench.safetensors';
const NAIVE_INPUT = 'inputs/bench.json';

export class Deployment {
  private constructor(
    readonly name: string,
    readonly cloud: LocalCloud,
    private readonly request: Json,
    /** The events of the last run. */
    readonly trace: TraceEvent[] = [],
  ) {}

  static async start(
    model: BenchModel,
    assembly: string,
    options: Pick<LocalCloudOptions, 'simulation' | 'tls' | 'onLog' | 'onAccess'>,
  ): Promise<Deployment> {
    const trace: TraceEvent[] = [];
    const cloud = await LocalCloud.start(assembly, { ...options, onTrace: (event) => trace.push(event) });
    const { inputs } = cloud.pipeline.signature as unknown as PipelineSignature;
    await cloud.putObject(INPUT, encodeTensors(inputsOf(model, inputs)));
    const request = { version: 1, inputs: { s3: INPUT }, output: { inline: 'never' } };
    return new Deployment(model.name, cloud, request, trace);
  }

  /** @param models of the functions, with their weights */
  static async startNaive(
    assembly: string,
    inputs: ReadonlyMap<string, RawTensor>,
    models: readonly Uint8Array[],
    options: Pick<LocalCloudOptions, 'simulation' | 'tls'>,
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
    this.trace.splice(0);
    const start = performance.now();
    const result = await this.cloud.execute(this.request);
    const ms = performance.now() - start;
    if (result.status !== 'SUCCEEDED') throw new Error(`${this.name}: ${result.error}: ${result.cause}`);
    const output = result.output as unknown as ExecutionOutput;
    const { timings = [] } = output as Partial<ExecutionOutput>;
    return { ms, timings, output };
  }

  /** A digest of the results of a run. */
  async digestOf({ output }: Run): Promise<string> {
    const { s3 } = output.outputs;
    if (s3 === undefined) throw new Error('a benchmark stores its results in S3');
    return createHash('sha256')
      .update(await this.cloud.getObject(s3.key))
      .digest('hex');
  }

  /** Ends all sandboxes, so that the next run starts new ones with an empty `/tmp` and a full burst of the network. */
  makeCold(): Promise<void> {
    return this.cloud.endIdleSandboxes();
  }

  /** By function: the processor time of starting and loading, which a cold run takes beyond the warm run after it. */
  async coldCpu(): Promise<{
    readonly cold: Run;
    readonly warm: Run;
    readonly loadCpuMs: readonly number[];
  }> {
    const cold = await this.run();
    const afterCold = this.cpuMs();
    const warm = await this.run();
    const afterWarm = this.cpuMs();
    return { cold, warm, loadCpuMs: afterCold.map((ms, index) => Math.max(0, 2 * ms - afterWarm[index])) };
  }

  /** By function, in the order of their logical ids: the processor time of its processes so far, in milliseconds. */
  private cpuMs(): number[] {
    const sums = new Map<string, number>();
    for (const { logicalId, pid } of this.cloud.workers()) {
      sums.set(logicalId, (sums.get(logicalId) ?? 0) + processCpuMs(pid));
    }
    return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ms]) => ms);
  }

  close(): Promise<void> {
    return this.cloud.close();
  }
}
