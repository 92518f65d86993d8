/** The deployments of one model that are compared. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { Deployment } from '../deployment';
import type { BenchModel } from '../inputs';
import { writeTransformer, type TransformerShape } from '../models/transformer';
import { sliceModel, synthesize } from '../synthesize';

/** A generous estimate of a function process's memory without its slice. */
const PROCESS_BYTES = 150e6;

export const NAMES = ['sliced', 'sliced, no warm-up', 'whole'] as const;
export type DeploymentName = (typeof NAMES)[number];

export class Subjects {
  private readonly model: BenchModel;
  private readonly plan: SlicePlan;

  constructor(
    private readonly folder: string,
    shape: TransformerShape,
    count: number,
  ) {
    this.model = { name: 'transformer', file: path.join(folder, 'model.onnx'), dimensions: {} };
    const slices = path.join(folder, 'slices');
    const { model } = this;
    writeTransformer(model.file, shape);
    this.plan = sliceModel(model, count, slices);
    synthesize(
      { outdir: this.assembly('sliced'), model, slices, warmUp: true },
      { outdir: this.assembly('sliced, no warm-up'), model, slices },
      { outdir: this.assembly('whole'), model, slices: 1 },
    );
  }

  start(name: DeploymentName, options: Parameters<typeof Deployment.start>[2]): Promise<Deployment> {
    return Deployment.start({ ...this.model, name }, this.assembly(name), options);
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
