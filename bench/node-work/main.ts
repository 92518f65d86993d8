/**
 * `npm run bench:work`: how far predicted compute times of slices are from fresh runs. Each round makes a profile and then runs
 * the slices, so that both see the same load of the machine; the table has the medians of the rounds.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import { readProfile } from '../../lib/compile/profile-file';
import { writeSlices } from '../../lib/emit/write';
import type { ModelProfile } from '../../lib/node-work/profile/profile';
import { formatSpread, inChild, run, spread } from '../measure';
import { formatTable } from '../table';
import type { FreshAnswer, FreshJob } from './fresh-child';
import type { WorkModel } from './models';
import { modelArgument, workModels } from './models';
import { predict, slicerOf, wiredSlices } from './predict';
import { benchRates } from './rates';

const CLI = path.join(__dirname, '../../../dist/bundle/program.js');

interface Options {
  readonly rounds: number;
  readonly runs: number;
  readonly rates?: boolean;
  readonly only?: boolean;
  /** File of inputs, for the only model. */
  readonly inputs?: string;
}

/** Ratios of a slice, predicted to measured, by round. */
interface SliceRatios {
  readonly elapsedMs: number[];
  readonly milliseconds: number[];
  readonly profiled: number[];
  readonly analytic: number[];
  readonly inferred: number[];
}

async function main(paths: readonly string[], options: Options): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-work-'));
  try {
    print(
      `${os.cpus().length} x ${os.cpus().at(0)?.model ?? 'unknown processor'}, Node.js ${process.version}`,
    );
    if (options.rates) {
      print(benchRates(folder, (model, runs) => profileOf(model, runs, folder), options.runs));
      return;
    }
    const models = [...(options.only ? [] : workModels(folder)), ...paths.map(modelArgument)];
    const all: SliceRatios[] = [];
    for (const [index, model] of models.entries()) {
      const ratios = await benchModel(model, path.join(folder, String(index)), options);
      all.push(...ratios);
      print(`\n${model.name}\n${tableOf(ratios)}`);
    }
    print(`\n${summary(all)}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function benchModel(
  model: WorkModel,
  folder: string,
  { rounds, runs, inputs }: Options,
): Promise<SliceRatios[]> {
  const analyzed = analyzeModel(model.file, { dimensions: model.dimensions });
  writeSlices(compileAnalyzed(analyzed, slicerOf(analyzed)), folder);
  const slices = wiredSlices(analyzed);
  const ratios = slices.map((): SliceRatios => ({
    elapsedMs: [],
    milliseconds: [],
    profiled: [],
    analytic: [],
    inferred: [],
  }));
  for (let round = 0; round < rounds; round++) {
    const profile = profileOf(model, runs, path.dirname(folder), inputs);
    const fresh = await inChild<FreshAnswer>(path.join(__dirname, 'fresh-child.js'), {
      folder,
      dimensions: profile.dimensions,
      runs,
      ...(inputs !== undefined && { inputs }),
    } satisfies FreshJob);
    const predicted = predict(analyzed, slices, profile);
    ratios.forEach((slice, index) => {
      const { elapsed, cpu } = fresh[index];
      slice.elapsedMs.push(elapsed * 1000);
      slice.milliseconds.push(cpu * 1000);
      slice.profiled.push(predicted.profiled[index] / cpu);
      slice.analytic.push(predicted.analytic[index] / cpu);
      slice.inferred.push(predicted.inferred[index] / cpu);
    });
  }
  return ratios;
}

function profileOf(
  { file, dimensions }: WorkModel,
  runs: number,
  folder: string,
  inputs?: string,
): ModelProfile {
  const out = path.join(folder, 'model.profile.json');
  const sizes = Object.entries(dimensions).flatMap(([name, size]) => ['--dimension', `${name}=${size}`]);
  const values = inputs === undefined ? [] : ['--inputs', inputs];
  run(process.execPath, [CLI, 'profile', file, ...sizes, ...values, '--runs', String(runs), '--out', out]);
  return readProfile(out);
}

function tableOf(ratios: readonly SliceRatios[]): string {
  const rows = ratios.map(({ elapsedMs, milliseconds, profiled, analytic, inferred }, slice) => [
    slice,
    formatSpread(spread(elapsedMs), 2),
    formatSpread(spread(milliseconds), 2),
    formatSpread(spread(profiled), 2),
    formatSpread(spread(analytic), 2),
    formatSpread(spread(inferred), 2),
  ]);
  return formatTable(
    ['slice', 'elapsed ms', 'processor ms', 'profile', 'analytic', 'analytic, inferred shapes'],
    rows,
  );
}

function summary(all: readonly SliceRatios[]): string {
  const within = (ratios: readonly (readonly number[])[], most: number): string => {
    const medians = ratios.map((rounds) => spread(rounds).median);
    const count = medians.filter((ratio) => ratio <= most && ratio >= 1 / most).length;
    return `${count} of ${medians.length}`;
  };
  const profiled = all.map((slice) => slice.profiled);
  const analytic = all.map((slice) => slice.analytic);
  const inferred = all.map((slice) => slice.inferred);
  return [
    'ratios are predicted / measured time of the processor; medians of the rounds (lowest-highest)',
    `profile: ${within(profiled, 1.2)} slices within 20 %`,
    `analytic: ${within(analytic, 1.5)} slices within 1.5x, ${within(analytic, 2)} within 2x`,
    `analytic with inferred shapes: ${within(inferred, 1.5)} slices within 1.5x, ${within(inferred, 2)} within 2x`,
  ].join('\n');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function above(least: number): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from ${least} up.`);
  };
}

new Command('bench:work')
  .description('Compares predicted compute times of slices with fresh runs.')
  .argument('[models...]', 'further models: a path, or path:name=size,name=size with sizes of dimensions')
  .addOption(new Option('--rounds <n>', 'rounds of each model').argParser(above(1)).default(3))
  .addOption(new Option('--runs <n>', 'runs of each slice in a round').argParser(above(1)).default(15))
  .option('--only', 'measure only the models of the arguments')
  .option('--inputs <file>', 'file of inputs, with --only and one model; by default, inputs are generated')
  .option('--rates', 'measure single operators instead, to check the rates of the analytic model')
  .action((paths: string[], options: Options, command: Command) => {
    if (options.inputs !== undefined && !(options.only && paths.length === 1)) {
      command.error('error: --inputs needs --only and one model');
    }
    return main(paths, options);
  })
  .parse();
