/** The deployments of one model that are compared. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { RawTensor } from '../../client';
import { readPlan } from '../../lib/compile/files/read-plan';
import type { SlicePlan } from '../../lib/plan/file/plan';
import type { Simulation } from '../../local';
import { writeConvolutions } from './convolutions';
import { Deployment } from './deployment';
import { embeddedSlice } from './embedded-slice';
import { synthesize } from './synthesize';
import { writeTransformer, type TransformerShape } from './transformer';

/** A generous estimate of a function process's memory without its slice. */
const PROCESS_BYTES = 150e6;

const PROBE = { layers: 1, channels: 4, size: 8 };

export type DeploymentName = 'sliced' | 'sliced, no warm-up' | 'consolidated' | 'whole' | 'naive';

/** See `loaderClaimKey`. */
const LOADER_KEY = /runs\/loader-[^/]+\.json$/;

export class Subjects {
  readonly modelPath: string;
  readonly plan: SlicePlan;
  private readonly slicesFolder: string;
  private claimedKey: string | undefined;
  private readonly inputs: ReadonlyMap<string, RawTensor>;

  constructor(
    private readonly folder: string,
    shape: TransformerShape,
    slices: number,
  ) {
    this.modelPath = path.join(folder, 'model.onnx');
    this.slicesFolder = path.join(folder, 'slices');
    writeTransformer(this.modelPath, shape);
    const cache = path.join(folder, 'cache');
    const cli = path.join(__dirname, '../../bin/program.js');
    execFileSync(
      process.execPath,
      [cli, 'slice', this.modelPath, '--slices', String(slices), '--out', this.slicesFolder],
      { env: { ...process.env, SLICED_INFERENCE_CACHE: cache }, stdio: 'ignore' },
    );
    this.plan = readPlan(path.join(this.slicesFolder, 'plan.json'));
    // Without warm-ups the search would choose other cuts.
    const cuts = { modelPath: this.modelPath, slices: path.join(this.slicesFolder, 'plan.json') };
    const { modelPath } = this;
    synthesize(
      [
        { outdir: this.assembly('sliced'), ...cuts, warmUp: 'always' },
        { outdir: this.assembly('sliced, no warm-up'), ...cuts, warmUp: 'never' },
        { outdir: this.assembly('consolidated'), ...cuts, warmUp: 'always', consolidation: 'always' },
        { outdir: this.assembly('whole'), modelPath, slices: 1, warmUp: 'never' },
        { outdir: this.assembly('naive'), slicesFolder: this.slicesFolder },
      ],
      cache,
    );
    const ids = BigInt64Array.from({ length: shape.sequence }, (_, index) =>
      BigInt((index * 7919) % shape.vocabulary),
    );
    const bytes = new Uint8Array(ids.buffer);
    this.inputs = new Map([['ids', { dtype: 'int64', shape: [1, shape.sequence], bytes }]]);
  }

  start(name: DeploymentName, simulation: Simulation, tls = true): Promise<Deployment> {
    const assembly = this.assembly(name);
    const onAccess = ({ resource }: { readonly resource: string }): void => {
      this.claimedKey ??= LOADER_KEY.exec(resource)?.[0];
    };
    if (name !== 'naive') return Deployment.start(name, assembly, this.inputs, { simulation, tls, onAccess });
    const models = this.plan.slices.map(({ model }) => embeddedSlice(this.slicesFolder, model.file));
    return Deployment.startNaive(name, assembly, this.naiveInput(), models, { simulation, tls });
  }

  /** One function with a model of hardly any bytes, whose cold run therefore is the start of a function. */
  startProbe(simulation: Simulation): Promise<Deployment> {
    const modelPath = path.join(this.folder, 'probe.onnx');
    const outdir = path.join(this.folder, 'probe');
    writeConvolutions(modelPath, PROBE);
    synthesize([{ outdir, modelPath, slices: 1, warmUp: 'never' }], path.join(this.folder, 'cache'));
    const shape = [1, PROBE.channels, PROBE.size, PROBE.size];
    const bytes = new Uint8Array(4 * PROBE.channels * PROBE.size ** 2);
    return Deployment.start('probe', outdir, new Map([['x', { dtype: 'float32', shape, bytes }]]), {
      simulation,
    });
  }

  private assembly(name: DeploymentName): string {
    return path.join(this.folder, name.replaceAll(/\W+/g, '-'));
  }

  private naiveInput(): string {
    const tensors = [...this.inputs].map(([name, { dtype, shape, ...rest }]) => {
      const { bytes } = rest as { bytes: Uint8Array };
      const data = [...new BigInt64Array(bytes.buffer)].map(Number);
      return [name, { type: dtype, dims: shape, data }];
    });
    return JSON.stringify(Object.fromEntries(tensors));
  }

  /** Key of the object by which loaders of the whole model exclude each other. Known after a load. */
  get loaderKey(): string {
    if (this.claimedKey === undefined) throw new Error('no function has loaded the whole model yet');
    return this.claimedKey;
  }

  /** Size of each slice's files in bytes. */
  get sliceBytes(): number[] {
    return this.plan.slices.map(({ model, weights }) => model.bytes + (weights?.bytes ?? 0));
  }

  /**
   * Allocates as much memory as a run does, and frees it. Some virtual machines return idle memory to their host. To get it
   * back costs CPU time, which would count against the deployments that run after a pause.
   */
  claimMemory(): void {
    const file = path.join(this.folder, 'claimed');
    const bytes = this.sliceBytes.reduce(
      (sum, slice) => sum + slice,
      PROCESS_BYTES * this.plan.slices.length,
    );
    const descriptor = fs.openSync(file, 'w');
    const piece = Buffer.alloc(16 * 1024 * 1024, 1);
    for (let written = 0; written < bytes;) written += fs.writeSync(descriptor, piece);
    fs.closeSync(descriptor);
    fs.rmSync(file);
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
