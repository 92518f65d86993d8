/**
 * The fuzzer: `npm run fuzz -- --runs 20000 --seed 1`. Each run mutates something that the library reads, or builds something
 * hostile, and gives it to the library as a file. `targets.ts` lists the kinds of files. The library must accept the file or
 * refuse it with one clear error, in bounded time and memory.
 *
 * Exit codes: 0 no run failed, 1 a run failed, 2 bad usage.
 */
import * as path from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { FuzzCase } from './cases';
import { Report } from './report';
import type { FuzzTarget } from './targets';
import { TARGETS } from './targets';
import { Watcher } from './watch';
import { Workplace } from './workplace';

interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly run?: number;
  readonly timeLimit?: number;
  readonly memoryLimit?: number;
  readonly keep?: string;
  readonly target?: string;
}

const RUN_FAILED = 1;
const BAD_USAGE = 2;

const MAX_SEED = 2 ** 32 - 1;
const PROGRESS_RUNS = 500;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function command(): Command {
  const from =
    (least: number, most = Number.MAX_SAFE_INTEGER) =>
    (text: string) => {
      const value = Number(text);
      if (/^\d+$/.test(text) && value >= least && value <= most) return value;
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    };
  return new Command('fuzz')
    .description(
      'Reads mutated files, requests and events, and looks for crashes, hangs, wrong results, waste of memory and writes to other places.',
    )
    .option('--runs <number>', 'number of files of each kind to try', from(1), 1000)
    .option('--seed <number>', 'seed of all files', from(0, MAX_SEED), Math.floor(Math.random() * MAX_SEED))
    .option('--run <number>', 'repeat only this run', from(0))
    .option('--time-limit <seconds>', 'time limit of one run (default: by kind)', from(1))
    .option(
      '--memory-limit <MB>',
      'memory limit of the process that runs the library (default: by kind)',
      from(1),
    )
    .option('--keep <folder>', 'folder that keeps the files of failed runs and of the run that `--run` names')
    .option(
      '--target <name>',
      `kind of files: ${Object.keys(TARGETS).join(', ')}; or a module that gets models instead of the compiler (default: all kinds in turn)`,
    )
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .configureOutput({
      outputError: (text, write) => {
        write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
      },
    })
    .exitOverride();
}

async function main(): Promise<void> {
  let options: Options;
  try {
    options = command().parse().opts<Options>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its message; a request for help is not an error.
    process.exitCode = error.exitCode === 0 ? 0 : BAD_USAGE;
    return;
  }
  let failed = 0;
  for (const target of targetsOf(options)) failed += await fuzzTarget(target, options);
  process.exitCode = failed > 0 ? RUN_FAILED : 0;
}

/** A target with the arguments that select it. */
interface SelectedTarget extends FuzzTarget {
  readonly flags: string;
}

function targetsOf({ target }: Options): SelectedTarget[] {
  const named = Object.entries(TARGETS).map(([name, own]) => ({ ...own, flags: `--target ${name} ` }));
  if (target === undefined) return named;
  if (target in TARGETS) return named.filter(({ flags }) => flags === `--target ${target} `);
  return [{ ...TARGETS.models, module: path.resolve(target), flags: '' }];
}

async function fuzzTarget(target: SelectedTarget, options: Options): Promise<number> {
  const workplace = new Workplace(target.file, target.putBeside);
  const { limitMb, restingMb } = target.memory;
  const memoryMb = options.memoryLimit ?? limitMb;
  const timeMs = 1000 * (options.timeLimit ?? target.timeLimit);
  const limits = { timeMs, memoryMb, restingMb };
  const watcher = new Watcher(target.module, limits, {
    ...process.env,
    TMPDIR: workplace.temporary,
    SLICED_INFERENCE_CACHE: '',
  });
  const tidyUp = (): void => {
    watcher.stop();
    workplace.remove();
  };
  const end = (signal: NodeJS.Signals): void => {
    tidyUp();
    for (const each of SIGNALS) process.off(each, end);
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    return await fuzz(target, options, workplace, watcher);
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
    tidyUp();
  }
}

/** Returns the number of failed runs. */
async function fuzz(
  target: SelectedTarget,
  options: Options,
  workplace: Workplace,
  watcher: Watcher,
): Promise<number> {
  const { seed, run: single } = options;
  const maker = target.casesOf(seed);
  const report = new Report(seed, `${target.flags}--seed ${seed}`);
  const first = single ?? 0;
  const end = single === undefined ? options.runs : single + 1;
  process.stdout.write(`${target.flags}--seed ${seed}\n`);
  const prepare = (run: number): FuzzCase & { readonly path: string } => {
    const fuzzCase = maker.make(run);
    return { ...fuzzCase, path: workplace.write(run, fuzzCase.content) };
  };
  let next = prepare(first);
  for (let run = first; run < end; run++) {
    const current = next;
    const judged = watcher.judge({ path: current.path, choice: current.choice });
    // Create the next file while the other process reads this one.
    if (run + 1 < end) next = prepare(run + 1);
    const verdict = await judged;
    const news = report.add(run, current, verdict);
    if (news !== undefined) process.stdout.write(news);
    else if (single !== undefined && 'outcome' in verdict) {
      process.stdout.write(`run ${run} (${current.title}): ${verdict.outcome}\n  ${verdict.message}\n`);
    }
    const isKept = news !== undefined || single !== undefined;
    if (options.keep !== undefined && isKept) workplace.keep(run, options.keep);
    if (process.stderr.isTTY && (run + 1) % PROGRESS_RUNS === 0) process.stderr.write(`${run + 1} runs\r`);
  }
  process.stdout.write(report.summary());
  return report.failed;
}

void main();
