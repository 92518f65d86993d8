/** A stack in the local cloud that is measured, and whose functions can be made cold again. */
import * as fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeTensors, type ExecutionOutput, type RawTensor, type CallTiming } from '../../client';
import { LocalCloud, type Json, type LocalCloudOptions, type Simulation, type TraceEvent } from '../../local';

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
    options: Pick<LocalCloudOptions, 'simulation' | 'tls' | 'onLog'>,
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
    simulation: Simulation,
  ): Promise<Deployment> {
    const cloud = await LocalCloud.start(assembly, { simulation });
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

  /** Kills all sandboxes, so that the next run starts new ones with an empty `/tmp`. */
  async makeCold(): Promise<void> {
    const folders = this.cloud.workers().map(({ pid, temporaryFolder }) => {
      process.kill(pid, 'SIGKILL');
      return temporaryFolder;
    });
    while (this.cloud.workers().length > 0) await delay(5);
    // A sandbox outlives its process and keeps its /tmp.
    for (const folder of folders) {
      fs.rmSync(folder, { recursive: true, maxRetries: 20 });
      fs.mkdirSync(folder);
    }
  }

  close(): Promise<void> {
    return this.cloud.close();
  }
}
