/**
 * The fuzzer: `npm run fuzz -- --runs 20000 --seed 1`. Each run mutates a model, or builds a hostile one, and compiles
 * it as synthesis does. The compilation must end with a plan or one clear error, in bounded time and memory.
 *
 * Exit codes: 0 no run failed, 1 a run failed, 2 bad usage.
 */
import * as path from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { FuzzCase } from './cases';
import { CaseMaker } from './cases';
import { Report } from './report';
import { Watcher } from './watch';
import { Workplace } from './workplace';

interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly run?: number;
  readonly timeLimit: number;
  readonly memoryLimit: number;
  readonly keep?: string;
  readonly target: string;
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
    .description('Compiles mutated models and looks for crashes, hangs and waste of memory.')
    .option('--runs <number>', 'number of models to try', from(1), 1000)
    .option('--seed <number>', 'seed of all models', from(0, MAX_SEED), Math.floor(Math.random() * MAX_SEED))
    .option('--run <number>', 'repeat only this run', from(0))
    .option('--time-limit <seconds>', 'time limit of one run', from(1), 10)
    .option('--memory-limit <MB>', 'memory limit of the process that runs the library', from(1), 300)
    .option(
      '--keep <folder>',
      'folder that keeps the models of failed runs and of the run that `--run` names',
    )
    .option('--target <file>', 'module to fuzz instead of the compiler', path.join(__dirname, 'target.js'))
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
  const workplace = new Workplace();
  const limits = { timeMs: options.timeLimit * 1000, memoryMb: options.memoryLimit };
  const watcher = new Watcher(path.resolve(options.target), limits, {
    ...process.env,
    TMPDIR: workplace.temporary,
    SLICED_INFERENCE_CACHE: '',
  });
  const tidyUp = (): void => {
    watcher.stop();
    workplace.remove();
  };
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      tidyUp();
      process.kill(process.pid, signal);
    });
  }
  try {
    const failed = await fuzz(options, workplace, watcher);
    process.exitCode = failed > 0 ? RUN_FAILED : 0;
  } finally {
    tidyUp();
  }
}

/** Returns the number of failed runs. */
async function fuzz(options: Options, workplace: Workplace, watcher: Watcher): Promise<number> {
  const { seed, run: single } = options;
  const maker = new CaseMaker(seed);
  const report = new Report(seed);
  const first = single ?? 0;
  const end = single === undefined ? options.runs : single + 1;
  process.stdout.write(`seed ${seed}\n`);
  const prepare = (run: number): FuzzCase & { readonly modelPath: string } => {
    const fuzzCase = maker.make(run);
    return { ...fuzzCase, modelPath: workplace.writeModel(run, fuzzCase.model) };
  };
  let next = prepare(first);
  for (let run = first; run < end; run++) {
    const current = next;
    const judged = watcher.judge({ modelPath: current.modelPath, slices: current.slices });
    // Create the next model while the other process compiles this one.
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
