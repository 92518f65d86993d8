/**
 * `npm run bench:models -- --python python3`: compares what plans say of real models in four slices, computing and peaks of memory, with what
 * their functions take in the local cloud, in first and in warm runs. Times are scaled from this machine to the core of
 * `lambda-class-x86.tsv`. Needs a Python with pip, and a registry of packages.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command } from 'commander';
import { processorClass } from '../../lambda/telemetry/processor';
import { encodeTensors } from '../../client';
import { MEMORY_MB_PER_VCPU } from '../../lib/plan/sizes/lambda-quotas';
import { deploy } from '../deployment';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { inputsOf, type BenchModel } from '../inputs';
import { formatSpread, formatTable } from '../measure';
import { PROGRAM, sliceModel, synthesize } from '../synthesize';
import { machineRatio } from '../times/machine-ratio';
import { packagedModels } from './packages';

interface Options {
  readonly python: string;
  readonly packages: string;
  readonly slices: number;
  readonly runs: number;
  readonly folder: string;
}

interface Compared {
  /** Milliseconds of computing of all slices, in warm and in first runs. */
  readonly planned: PlannedMs;
  readonly first: number;
  readonly warm: number;
  /** The largest of all slices, in bytes. */
  readonly plannedPeak: number;
  readonly peak: number;
  /** The smallest of all slices: its timeout beside its slowest call, in seconds. */
  readonly shortest: string;
}

async function main(folder: string, { python, packages, slices, runs }: Options): Promise<void> {
  print(`${describeMachine()}, ${processorClass()}`);
  const ratios: number[] = [];
  const rows: string[][] = [];
  for (const model of packagedModels(packages, python)) {
    // Again for each model, because the speed of a shared machine changes.
    const ratio = await machineRatio(folder);
    const own = await compare(folder, model, slices, runs);
    if (typeof own === 'string') {
      print(`${model.name}: ${own}`);
      continue;
    }
    ratios.push(ratio);
    const [first, warm] = [own.first / ratio, own.warm / ratio];
    const digits = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
    rows.push([
      ...[model.name, digits(own.planned.first), digits(first), digits(own.planned.warm), digits(warm)],
      ...[own.planned.first / first, own.planned.warm / warm, own.plannedPeak / own.peak].map((each) =>
        each.toFixed(2),
      ),
      own.shortest,
    ]);
  }
  const head = [
    'model',
    'first: planned ms',
    'measured',
    'warm: planned ms',
    'measured',
    'first, planned / measured',
    'warm',
    'peak',
  ];
  print(formatTable([...head, 'least timeout'], rows));
  print(`this machine takes ${formatSpread(ratios, 2)} of the table's time, measured before each model`);
}

/** A message if the model cannot be cut so. */
async function compare(
  folder: string,
  model: BenchModel,
  slices: number,
  runs: number,
): Promise<Compared | string> {
  const own = fs.mkdtempSync(path.join(folder, 'model-'));
  const [out, outdir] = ['slices', 'assembly'].map((name) => path.join(own, name));
  try {
    const inputs = path.join(own, 'inputs.safetensors');
    const first = sliceModel(model, slices, path.join(own, 'first'));
    fs.writeFileSync(inputs, encodeTensors(inputsOf(model, first.inputs)));
    // Some sizes and iterations depend on the inputs.
    const flags = ['--inputs', inputs];
    const plan = sliceModel(model, slices, out, flags);
    // On one vCPU, functions compute with one thread, as the table does.
    synthesize({ outdir, slices: out, memoryMb: MEMORY_MB_PER_VCPU });
    const deployment = await deploy(model, outdir);
    try {
      const { timings: first } = await deployment.run();
      const sums: number[] = [];
      for (let round = 0; round < runs; round++) sums.push(runMsOf((await deployment.run()).timings));
      const warm = sums.sort((a, b) => a - b)[Math.floor(runs / 2)];
      return {
        ...{ planned: plannedMs(model, slices, flags), first: runMsOf(first), warm },
        plannedPeak: Math.max(...plan.slices.map(({ peakMemoryBytes }) => peakMemoryBytes)),
        peak: Math.max(...first.map(({ peakMemoryBytes }) => peakMemoryBytes)),
        shortest: `${Math.min(...plan.slices.map(({ timeoutSeconds }) => timeoutSeconds))} s`,
      };
    } finally {
      await deployment.close();
    }
  } catch (error) {
    return (error as Error).message.trim().split('\n').slice(-1)[0];
  } finally {
    fs.rmSync(own, { recursive: true, force: true });
  }
}

const runMsOf = (timings: readonly { readonly runMs: number }[]): number =>
  timings.reduce((sum, { runMs }) => sum + runMs, 0);

interface PlannedMs {
  readonly warm: number;
  readonly first: number;
}

/** Of `plan --json`, with one thread on one vCPU. */
function plannedMs({ file, dimensions }: BenchModel, slices: number, more: readonly string[]): PlannedMs {
  const sizes = Object.entries(dimensions).flatMap(([name, size]) => ['--dimension', `${name}=${size}`]);
  const flags = ['--slices', String(slices), '--json', ...sizes, ...more];
  const args = ['--no-warnings', PROGRAM, 'plan', file, ...flags];
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const { slices: all } = JSON.parse(stdout) as { readonly slices: readonly PlannedSlice[] };
  const sumOf = (of: (slice: PlannedSlice) => number): number => all.reduce((sum, own) => sum + of(own), 0);
  const warm = sumOf(({ coreSeconds }) => 1000 * coreSeconds);
  const firstMs = sumOf(
    ({ memoryMb, times: { coldMs, warmMs } }) =>
      (coldMs - warmMs) * Math.min(1, memoryMb / MEMORY_MB_PER_VCPU),
  );
  return { warm, first: warm + firstMs };
}

interface PlannedSlice {
  readonly coreSeconds: number;
  readonly memoryMb: number;
  readonly times: { readonly coldMs: number; readonly warmMs: number };
}

new Command('bench:models')
  .description('Compares plans of real models with runs. Needs 1 GB of disk, and five minutes.')
  .option('--python <program>', 'a Python with pip', 'python3')
  .option('--packages <folder>', 'folder that keeps the downloaded packages', os.tmpdir())
  .addOption(numberOption('--slices <n>', 'number of slices', 4))
  .addOption(numberOption('--runs <n>', 'warm runs', 5))
  .addOption(folderOption(os.tmpdir()))
  .action((options: Options) => inOwnFolder(options.folder, 'bench-models', (own) => main(own, options)))
  .parse();
