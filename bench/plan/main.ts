/**
 * `npm run bench:plan`: how even the slices of a fixed number are and what that costs, how stable cuts are, and how long planning
 * takes. The baselines are the cheapest cuts, and reading the model.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, Option } from 'commander';
import { measureEvenness } from './evenness';
import { measureTime } from './planning-time';
import { measureStability } from './stability';
import type { Subject } from './subjects';
import { found, generated, realistic } from './subjects';

interface Options {
  readonly models: readonly string[];
  readonly only?: string;
}

function main({ models, only }: Options): void {
  const runs = (part: string): boolean => only === undefined || only === part;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-plan-'));
  try {
    if (runs('time')) measureTime(folder);
    if (runs('evenness')) measureEvenness(subjects(folder, models));
    if (runs('stability')) measureStability(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function* subjects(folder: string, models: readonly string[]): Generator<Subject> {
  yield* generated(folder);
  yield* realistic(folder);
  for (const model of models) yield* found(model);
}

new Command('bench:plan')
  .description('Compares even slices with the cheapest ones, and measures the time of planning.')
  .option('--models <paths...>', 'more models: files, or folders of models', [])
  .addOption(new Option('--only <part>', 'measure one part').choices(['evenness', 'stability', 'time']))
  .action(main)
  .parse();
