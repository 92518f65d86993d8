/** A stack in the local cloud that is measured, and whose functions can be made cold again. */
import { encodeTensors, type CallTiming, type ExecutionOutput, type RawTensor } from '../../client';
import { LocalCloud, type Json, type LocalCloudOptions, type TraceEvent } from '../../local';
import { processCpuMs } from './process-cpu';

export interface Run {
  readonly ms: number;
  /** Empty for naive functions. */
  readonly timings: readonly CallTiming[];
  readonly output: Json;
}

export class Deployment {
  /** The events of the last run. */
  readonly trace: TraceEvent[] = [];

  private constructor(
    readonly name: string,
    readonly cloud: LocalCloud,
    private readonly request: Json,
  ) {}

  static async start(
    name: string,
    assembly: string,
    inputs: ReadonlyMap<string, RawTensor>,
    options: Pick<LocalCloudOptions, 'simulation' | 'tls' | 'onLog' | 'onAccess'>,
  ): Promise<Deployment> {
    const trace: TraceEvent[] = [];
    const cloud = await LocalCloud.start(assembly, { ...options, onTrace: (event) => trace.push(event) });
    const input = 'inputs/bench.safetensors';
    await cloud.putObject(input, encodeTensors(inputs));
    const request = { version: 1, inputs: { s3: input }, output: { inline: 'never' } };
    const deployment = new Deployment(name, cloud, request);
    Object.assign(deployment, { trace });
    return deployment;
  }

  static async startNaive(
    name: string,
    assembly: string,
    input: string,
    models: readonly Uint8Array[],
    options: Pick<LocalCloudOptions, 'simulation' | 'tls'>,
  ): Promise<Deployment> {
    const cloud = await LocalCloud.start(assembly, options);
    for (const [slice, model] of models.entries()) await cloud.putObject(`models/${slice}.onnx`, model);
    await cloud.putObject('inputs/bench.json', Buffer.from(input));
    return new Deployment(name, cloud, { input: 'inputs/bench.json' });
  }

  async run(): Promise<Run> {
    this.trace.splice(0);
    const start = performance.now();
    const result = await this.cloud.execute(this.request);
    const ms = performance.now() - start;
    if (result.status !== 'SUCCEEDED') throw new Error(`${this.name}: ${result.error}: ${result.cause}`);
    const { timings = [] } = result.output as unknown as Partial<ExecutionOutput>;
    return { ms, timings, output: result.output };
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
