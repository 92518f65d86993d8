/** The deployments of one model that are compared. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { Deployment } from '../deployment';
import { inputsOf, type BenchModel } from '../inputs';
import { writeTransformer, type TransformerShape } from '../models/transformer';
import { ModelProto } from '../onnx-schema';
import { sliceModel, synthesize } from '../synthesize';

/** A generous estimate of a function process's memory without its slice. */
const PROCESS_BYTES = 150e6;

export const NAMES = ['sliced', 'sliced, no warm-up', 'whole', 'naive'] as const;
export type DeploymentName = (typeof NAMES)[number];

export class Subjects {
  private readonly model: BenchModel;
  private readonly plan: SlicePlan;
  private readonly slicesFolder: string;

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
      { outdir: this.assembly('whole'), model, slices: 1 },
      { outdir: this.assembly('naive'), model, slices, kind: 'naive' },
    );
  }

  start(name: DeploymentName, options: Parameters<typeof Deployment.start>[2]): Promise<Deployment> {
    const { model, plan, slicesFolder } = this;
    const assembly = this.assembly(name);
    if (name !== 'naive') return Deployment.start({ ...model, name }, assembly, options);
    const models = plan.slices.map((slice) => embeddedSlice(slicesFolder, slice.model.file));
    return Deployment.startNaive(assembly, inputsOf(model, plan.inputs), models, options);
  }

  private assembly(name: DeploymentName): string {
    return path.join(this.folder, name.replaceAll(/\W+/g, '-'));
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
