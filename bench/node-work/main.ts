/**
 * `npm run bench:work`: how far predicted compute times of slices are from fresh runs. Each round makes a profile and then runs
 * the slices, so that both see the same load of the machine; the table has the medians of the rounds.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { formatSpread, spread } from '../measure';
import { formatTable } from '../table';
import type { MeasuredModel, SliceRound } from './measure-model';
import { measureModel, profileOf } from './measure-model';
import { modelArgument, workModels } from './models';
import { benchRates } from './rates';

interface Options {
  readonly rounds: number;
  readonly runs: number;
  readonly rates?: boolean;
  readonly only?: boolean;
  /** Safetensors file of inputs, for the only model. */
  readonly inputs?: string;
}

type Rounds = readonly SliceRound[];

/** Shorter slices are counted apart: the time of a call depends on what the caches hold, which no profile knows. */
const SHORT_MS = 0.2;

async function main(paths: readonly string[], options: Options): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-work-'));
  try {
    print(
      `${os.cpus().length} x ${os.cpus().at(0)?.model ?? 'unknown processor'}, Node.js ${process.version}; ${load()}`,
    );
    if (options.rates) {
      print(benchRates(folder, (model, runs) => profileOf(model, folder, { runs }), options.runs));
      return;
    }
    const models = [...(options.only ? [] : workModels(folder)), ...paths.map(modelArgument)];
    const all: Rounds[] = [];
    for (const [index, model] of models.entries()) {
      const measured = await measureModel(model, path.join(folder, String(index)), options);
      all.push(...measured.slices);
      print(`\n${model.name}: ${roundsOf(measured, options.rounds)}; ${load()}\n${tableOf(measured.slices)}`);
    }
    print(`\n${summary(all)}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function load(): string {
  return `load ${os.loadavg()[0].toFixed(1)}`;
}

function roundsOf({ measured, disturbed }: MeasuredModel, rounds: number): string {
  return `${rounds} of ${measured} rounds count${disturbed === 0 ? '' : `, ${disturbed} of them disturbed`}`;
}

function tableOf(slices: readonly Rounds[]): string {
  const rows = slices.map((rounds, slice) => [
    slice,
    ...(['elapsedMs', 'cpuMs'] as const).map((key) => formatSpread(spreadOf(rounds, key), 3)),
    ...(['profiled', 'analytic', 'inferred'] as const).map((key) => formatSpread(spreadOf(rounds, key), 2)),
  ]);
  return formatTable(
    ['slice', 'elapsed ms', 'processor ms', 'profile', 'analytic', 'analytic, inferred shapes'],
    rows,
  );
}

function spreadOf(rounds: Rounds, key: keyof SliceRound) {
  return spread(rounds.map((round) => round[key]));
}

function summary(all: readonly Rounds[]): string {
  const long = all.filter((rounds) => spreadOf(rounds, 'cpuMs').median >= SHORT_MS);
  const within = (slices: readonly Rounds[], key: keyof SliceRound, most: number): string => {
    const medians = slices.map((rounds) => spreadOf(rounds, key).median);
    const count = medians.filter((ratio) => ratio <= most && ratio >= 1 / most).length;
    return `${count} of ${medians.length}`;
  };
  // 20 % of the fresh run: 0.8 to 1.2, not 1 / 1.2 to 1.2.
  const near = (slices: readonly Rounds[]): string => {
    const medians = slices.map((rounds) => spreadOf(rounds, 'profiled').median);
    return `${medians.filter((ratio) => Math.abs(ratio - 1) <= 0.2).length} of ${medians.length}`;
  };
  return [
    'ratios are predicted / measured time of the processor; medians of the rounds that count (lowest-highest)',
    `profile: ${near(all)} slices within 20 %, ${near(long)} of those of ${SHORT_MS} ms and more`,
    `analytic: ${within(all, 'analytic', 1.5)} slices within 1.5x, ${within(all, 'analytic', 2)} within 2x`,
    `analytic with inferred shapes: ${within(all, 'inferred', 1.5)} slices within 1.5x, ${within(all, 'inferred', 2)} within 2x`,
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
  .addOption(new Option('--rounds <n>', 'rounds of each model that count').argParser(above(1)).default(3))
  .addOption(new Option('--runs <n>', 'runs of each slice in a round').argParser(above(1)).default(15))
  .option('--only', 'measure only the models of the arguments')
  .option(
    '--inputs <file>',
    'safetensors file of inputs, with --only and one model; by default, inputs are generated',
  )
  .option('--rates', 'measure single operators instead, to check the rates of the analytic model')
  .action((paths: string[], options: Options, command: Command) => {
    if (options.inputs !== undefined && !(options.only && paths.length === 1)) {
      command.error('error: --inputs needs --only and one model');
    }
    return main(paths, options);
  })
  .parse();
