/** The deployments of one model that are compared. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { SlicePlan } from '../../lib/plan/file/plan';
import type { Simulation } from '../../local';
import { Deployment } from '../deployment';
import { inputsOf, type BenchModel } from '../inputs';
import { writeConvolutions } from '../models/convolutions';
import { writeTransformer, type TransformerShape } from '../models/transformer';
import { ModelProto } from '../onnx-schema';
import { sliceModel, synthesize } from '../synthesize';

/** A generous estimate of a function process's memory without its slice. */
const PROCESS_BYTES = 150e6;

export type DeploymentName = 'sliced' | 'sliced, no warm-up' | 'consolidated' | 'whole' | 'naive';

/** See `loaderClaimKey`. */
const LOADER_KEY = /runs\/loader-[^/]+\.json$/;

export class Subjects {
  readonly model: BenchModel;
  readonly plan: SlicePlan;
  private readonly slicesFolder: string;
  private claimedKey: string | undefined;

  constructor(
    private readonly folder: string,
    shape: TransformerShape,
    count: number,
  ) {
    this.model = { name: 'transformer', file: path.join(folder, 'model.onnx'), dimensions: {} };
    const slices = path.join(folder, 'slices');
    this.slicesFolder = slices;
    const { model } = this;
    writeTransformer(model.file, shape);
    this.plan = sliceModel(model, count, slices);
    synthesize(
      { outdir: this.assembly('sliced'), model, slices, warmUp: true },
      { outdir: this.assembly('sliced, no warm-up'), model, slices },
      { outdir: this.assembly('consolidated'), model, slices, warmUp: true, consolidation: true },
      { outdir: this.assembly('whole'), model, slices: 1 },
      { outdir: this.assembly('naive'), model, slices, kind: 'naive' },
    );
  }

  start(name: DeploymentName, simulation: Simulation, tls = true): Promise<Deployment> {
    const assembly = this.assembly(name);
    if (name === 'naive') {
      const models = this.plan.slices.map(({ model }) => embeddedSlice(this.slicesFolder, model.file));
      return Deployment.startNaive(assembly, inputsOf(this.model, this.plan.inputs), models, {
        simulation,
        tls,
      });
    }
    const onAccess = ({ resource }: { readonly resource: string }): void => {
      this.claimedKey ??= LOADER_KEY.exec(resource)?.[0];
    };
    return Deployment.start({ ...this.model, name }, assembly, { simulation, tls, onAccess });
  }

  private assembly(name: DeploymentName): string {
    return path.join(this.folder, name.replaceAll(/\W+/g, '-'));
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
    const processes = PROCESS_BYTES * this.plan.slices.length;
    const bytes = this.sliceBytes.reduce((sum, slice) => sum + slice, processes);
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

/** One function with a model of hardly any bytes, whose cold run therefore is the start of a function. */
export function startProbe(
  folder: string,
  options: Parameters<typeof Deployment.start>[2],
): Promise<Deployment> {
  const model = { name: 'probe', file: path.join(folder, 'probe.onnx'), dimensions: {} };
  const outdir = path.join(folder, 'probe');
  writeConvolutions(model.file, { layers: 1, channels: 4, size: 8 });
  synthesize({ outdir, model, slices: 1 });
  return Deployment.start(model, outdir, options);
}

/** The bytes of a slice's model with its external weights inside, as naive functions load it. */
function embeddedSlice(folder: string, file: string): Uint8Array {
  const model = ModelProto.decode(fs.readFileSync(path.join(folder, file))) as unknown as {
    graph: {
      initializer: {
        dataLocation?: number;
        externalData?: readonly { readonly key: string; readonly value: string }[];
        rawData?: Uint8Array;
      }[];
    };
  };
  for (const tensor of model.graph.initializer) {
    if (!tensor.externalData?.length) continue;
    const { location, offset, length } = Object.fromEntries(
      tensor.externalData.map(({ key, value }) => [key, value]),
    );
    tensor.rawData = new Uint8Array(Number(length));
    const descriptor = fs.openSync(path.join(folder, location), 'r');
    fs.readSync(descriptor, tensor.rawData, 0, Number(length), Number(offset));
    fs.closeSync(descriptor);
    delete tensor.dataLocation;
    delete tensor.externalData;
  }
  return ModelProto.encode(model).finish();
}
