/**
 * `npm run bench:plan`: how good the cuts are that the planner chooses, how stable they are, and how long it takes. The
 * baselines are equal numbers of nodes, greedy filling, and reading the model.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, Option } from 'commander';
import { compareCuts } from './compare-cuts';
import { measureTime } from './planning-time';
import { measureStability } from './stability';
import { found, generated } from './subjects';

interface Options {
  readonly models: readonly string[];
  readonly only?: string;
}

function main({ models, only }: Options): void {
  const runs = (part: string): boolean => only === undefined || only === part;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-plan-'));
  try {
    if (runs('time')) measureTime(folder);
    if (runs('cuts')) compareCuts([...generated(folder), ...models.flatMap((model) => [...found(model)])]);
    if (runs('stability')) measureStability(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

new Command('bench:plan')
  .description('Compares cuts with simple ways to cut, and measures the time of planning.')
  .option('--models <paths...>', 'more models: files, or folders of models', [])
  .addOption(new Option('--only <part>', 'measure one part').choices(['cuts', 'stability', 'time']))
  .action(main)
  .parse();
