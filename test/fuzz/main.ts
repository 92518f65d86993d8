/**
 * The fuzzer: `npm run fuzz -- --runs 20000 --seed 1`. Each run mutates something that the library reads, or builds something
 * hostile, and gives it to the library as a file. `targets.ts` lists the kinds of files. The library must accept the file or
 * refuse it with one clear error, in bounded time and memory.
 *
 * Exit codes: 0 no run failed, 1 a run failed, 2 bad usage.
 */
import { randomInt } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { strict, wholeNumber } from '../support/program-options';
import { OUTCOMES } from './case';
import { Random } from './random';
import { TARGETS, type FuzzTarget } from './targets';
import { Watcher } from './watch';

interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly run?: number;
  readonly keep?: string;
  readonly target?: string;
}

const [RUN_FAILED, BAD_USAGE] = [1, 2];
const MAX_SEED = 2 ** 32 - 1;

/** Number of lines to show of a failure: the error and the first frames of its stack. */
const FAILURE_LINES = 6;

const command = strict(new Command('fuzz'))
  .description(
    'Reads mutated files, requests and events, and looks for crashes, hangs, wrong results, waste of memory and writes to other places.',
  )
  .option('--runs <number>', 'number of files of each kind to try', wholeNumber(1), 1000)
  .option('--seed <number>', 'seed of all files', wholeNumber(0, MAX_SEED), randomInt(MAX_SEED))
  .option('--run <number>', 'repeat only this run', wholeNumber(0))
  .option('--keep <folder>', 'folder that keeps the files of failed runs and of the run that `--run` names')
  .addOption(
    new Option('--target <name>', 'kind of files (default: all kinds in turn)').choices(Object.keys(TARGETS)),
  );

/** Removes what the current target has started and written. */
let tidyUp = (): void => undefined;

async function main(): Promise<void> {
  let options: Options;
  try {
    options = command.parse().opts<Options>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its message; a request for help is not an error.
    process.exitCode = error.exitCode === 0 ? 0 : BAD_USAGE;
    return;
  }
  process.once('exit', () => {
    tidyUp();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(RUN_FAILED));
  let failed = 0;
  for (const [name, target] of Object.entries<FuzzTarget>(TARGETS)) {
    if (options.target !== undefined && options.target !== name) continue;
    try {
      failed += await fuzz(target, `--target ${name} `, options);
    } finally {
      tidyUp();
    }
  }
  process.exitCode = failed > 0 ? RUN_FAILED : 0;
}

/** Returns the number of failed runs. */
async function fuzz(target: FuzzTarget, flags: string, options: Options): Promise<number> {
  const { seed, run: single, keep } = options;
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-fuzz-'));
  // The watched process may be killed before it removes its temporary files.
  const [folder, temporary] = ['case', 'tmp'].map((name) => path.join(root, name));
  for (const each of [folder, temporary]) fs.mkdirSync(each);
  target.putBeside?.(folder);
  const environment = { ...process.env, TMPDIR: temporary, SLICED_INFERENCE_CACHE: '' };
  const watcher = new Watcher(target.module, target.limits, environment);
  tidyUp = () => {
    watcher.stop();
    fs.rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  };
  process.stdout.write(`${flags}--seed ${seed}\n`);
  const counts = new Map<string, number>(OUTCOMES.map((outcome) => [outcome, 0]));
  let failed = 0;
  const file = path.join(folder, target.file);
  const start = performance.now();
  const [first, end] = single === undefined ? [0, options.runs] : [single, single + 1];
  for (let run = first; run < end; run++) {
    const { title: made, content, settings } = target.makeCase(new Random(`${seed}:${run}`));
    fs.writeFileSync(file, content);
    const verdict = await watcher.judge({ path: file, settings });
    if ('failure' in verdict) {
      failed++;
      const lines = verdict.failure.split('\n').slice(0, FAILURE_LINES).join('\n  ');
      const again = `npm run fuzz -- ${flags}--seed ${seed} --run ${run}`;
      process.stdout.write(`run ${run} failed (${made}): ${lines}\n  ${again}\n`);
    } else {
      const { outcome, message } = verdict;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (single !== undefined) process.stdout.write(`run ${run} (${made}): ${outcome}\n  ${message}\n`);
    }
    if (keep !== undefined && ('failure' in verdict || single !== undefined))
      fs.cpSync(folder, path.join(keep, `run-${run}`), { recursive: true, verbatimSymlinks: true });
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  process.stdout.write(`${end - first} runs with seed ${seed} in ${seconds} s: ${failed} failed\n`);
  for (const [outcome, count] of counts) process.stdout.write(`  ${outcome.padEnd(28)}${count}\n`);
  return failed;
}

void main();
