/**
 * `npm run bench:memory`: compares the planned peak of each slice's memory with the peak that its function reports in the
 * local cloud, over TLS. Other models can be named: `npm run bench:memory -- MODEL --dimension batch=1`.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, Option } from 'commander';
import type { PlannedSlice } from '../../lib/plan/file/plan';
import { MAX_LAMBDA_MEMORY_MB } from '../../lib/plan/sizes/lambda-quotas';
import { deploy } from '../deployment';
import { describeMachine, dimensionOption, folderOption, inOwnFolder, positive, print } from '../harness';
import { ocrModel, writeTransformer, type BenchModel } from '../inputs';
import { formatTable } from '../measure';
import { sliceModel, synthesize } from '../synthesize';

interface MeasuredSlice {
  readonly planned: PlannedSlice;
  /** Peak of the function's resident memory in its first call, which loads the slice. */
  readonly peakBytes: number;
}

/** A planned peak is good if it differs from the measured one by at most this share, or this many bytes. */
const TOLERATED_SHARE = 0.15;
const TOLERATED_BYTES = 25e6;

interface Options {
  readonly dimension: Readonly<Record<string, number>>;
  readonly slices: readonly number[];
  readonly folder: string;
}

async function main(own: string, model: string | undefined, { dimension, slices }: Options): Promise<void> {
  print(`${describeMachine()}, ${process.arch}; MB = 10^6 bytes`);
  const subjects =
    model === undefined
      ? memorySubjects(own)
      : [{ name: path.basename(model), file: path.resolve(model), dimensions: dimension }];
  const rows: string[][] = [];
  const all: MeasuredSlice[] = [];
  for (const subject of subjects) {
    for (const count of slices) {
      const measured = await measuredOrNone(own, subject, count);
      if (measured === undefined) continue;
      all.push(...measured);
      rows.push(...measured.map((slice, index) => row(`${subject.name}, ${index + 1} of ${count}`, slice)));
    }
  }
  print(formatTable(['model and slice', 'planned MB', 'measured MB', 'ratio', 'function MB'], rows));
  const good = all.filter(isGood).length;
  print(`${good} of ${all.length} within 15 % or 25 MB`);
}

/** Realistic sizes. Writes the first model in `folder`. */
function memorySubjects(folder: string): BenchModel[] {
  return [
    writeTransformer(path.join(folder, 'transformer'), '0.4', 768),
    ocrModel('OCR detection at 960', 'ch_PP-OCRv4_det_infer.onnx', 960, 960),
    ocrModel('OCR recognition at 320', 'ch_PP-OCRv4_rec_infer.onnx', 320),
  ];
}

/** Cuts the model and runs the slices. Some models have too few cuts for so many slices. */
async function measuredOrNone(
  folder: string,
  model: BenchModel,
  count: number,
): Promise<MeasuredSlice[] | undefined> {
  const own = fs.mkdtempSync(path.join(folder, 'measure-'));
  try {
    const [slices, outdir] = ['slices', 'assembly'].map((name) => path.join(own, name));
    const plan = sliceModel(model, count, slices);
    synthesize({ outdir, slices, memoryMb: MAX_LAMBDA_MEMORY_MB });
    const deployment = await deploy(model, outdir);
    try {
      const { timings } = await deployment.run();
      return plan.slices.map((planned, slice) => ({ planned, peakBytes: timings[slice].peakMemoryBytes }));
    } finally {
      await deployment.close();
    }
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('can be cut into at most')) throw error;
    print(`${model.name}: ${error.message.trim()}`);
    return undefined;
  } finally {
    fs.rmSync(own, { recursive: true, force: true });
  }
}

function row(name: string, { planned: { peakMemoryBytes, memoryMb }, peakBytes }: MeasuredSlice): string[] {
  const ratio = (peakMemoryBytes / peakBytes).toFixed(2);
  return [name, megabytes(peakMemoryBytes), megabytes(peakBytes), ratio, String(memoryMb)];
}

function isGood({ planned, peakBytes }: MeasuredSlice): boolean {
  const difference = Math.abs(planned.peakMemoryBytes - peakBytes);
  return difference <= Math.max(TOLERATED_BYTES, TOLERATED_SHARE * peakBytes);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

new Command('bench:memory')
  .description('Compares planned and measured peaks of memory. Needs about 5 GB of disk, and ten minutes.')
  .argument('[model]', 'path of an ONNX model, instead of the models of the benchmark')
  .addOption(dimensionOption())
  .addOption(
    new Option('--slices <list>', 'numbers of slices, separated by commas')
      .argParser((text: string) => text.split(',').map(positive))
      .default([1, 4]),
  )
  .addOption(folderOption(os.tmpdir()))
  .action((model: string | undefined, options: Options) =>
    inOwnFolder(options.folder, 'bench-memory', (own) => main(own, model, options)),
  )
  .parse();
