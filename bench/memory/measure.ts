/** Measures the peak memory of the functions that run the slices of a model in the local cloud. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { readPlan } from '../../lib/compile/files/read-plan';
import { parseModel } from '../../lib/onnx/parse';
import type { PlannedSlice } from '../../lib/plan/file/plan';
import { run } from '../measure';
import { Deployment } from '../runtime/deployment';
import { modelInputs, tableRows } from './inputs';
import type { MemorySubject } from './subjects';

export interface MeasuredSlice {
  readonly planned: PlannedSlice;
  /** Peak of the function's resident memory in its first call, which loads the slice. */
  readonly coldPeakBytes: number;
  /** The same after three more calls. */
  readonly warmPeakBytes: number;
}

const WARM_CALLS = 3;

/** Cuts the model into `count` slices and runs them. */
export async function measureSlices(
  folder: string,
  { name, file, dimensions }: MemorySubject,
  count: number,
): Promise<MeasuredSlice[]> {
  const own = fs.mkdtempSync(path.join(folder, 'measure-'));
  try {
    const slices = path.join(own, 'slices');
    const sizes = Object.entries(dimensions).flatMap(([dimension, size]) => [
      '--dimension',
      `${dimension}=${size}`,
    ]);
    const program = path.join(__dirname, '../../bin/program.js');
    run(process.execPath, [
      '--no-warnings',
      program,
      'slice',
      file,
      '--slices',
      String(count),
      ...sizes,
      '--out',
      slices,
    ]);
    const assembly = path.join(own, 'assembly');
    run(process.execPath, [path.join(__dirname, 'synthesize-child.js'), assembly, slices], {
      CDK_VALIDATION: 'false',
    });
    const plan = readPlan(path.join(slices, 'plan.json'));
    const inputs = modelInputs(plan.inputs, dimensions, tableRows(parseModel(file)));
    const deployment = await Deployment.start(name, assembly, inputs, {});
    try {
      const cold = await deployment.run();
      let warm = cold;
      for (let call = 0; call < WARM_CALLS; call++) warm = await deployment.run();
      return plan.slices.map((planned, slice) => ({
        planned,
        coldPeakBytes: cold.timings[slice].peakMemoryBytes,
        warmPeakBytes: warm.timings[slice].peakMemoryBytes,
      }));
    } finally {
      await deployment.close();
    }
  } finally {
    fs.rmSync(own, { recursive: true, force: true });
  }
}
