/**
 * `npm run check:deploy`: deploys stacks with CDK's command line to MiniStack, an emulator of AWS that knows nothing of this project,
 * and compares each result with ONNX Runtime on the whole model.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command } from 'commander';
import { Cloud, Missing, pythonWithMiniStack } from './cloud';
import { examples } from './examples';
import { live, type Subject } from './life';
import { matrix } from './matrix';
import { endAll } from './processes';
import { printTable, Row, type Column } from './report';

/** What CI deploys, and how it updates that: each kind of call once. */
const SELECTION: ReadonlyMap<string, readonly Column[]> = new Map([
  ['Standard, consolidation', ['other slices']],
  ['Express, functions before and after', ['other model']],
  ['Express, VPC and keys', []],
]);

/** More would only wait for each other's processors. */
const AT_A_TIME = 2;

/** A shell adds it to the number of the signal that ended a program. */
const SIGNALLED = 128;

interface Options {
  readonly all?: true;
  readonly stack?: readonly string[];
}

async function main({ all, stack }: Options): Promise<void> {
  const start = performance.now();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-deploy-'));
  cleanUpAtExit(folder);
  const python = await pythonWithMiniStack();
  const known = [...matrix(folder), ...examples(newFolder(folder, 'examples'), python)];
  const wanted = stack
    ? known.filter(({ title }) => stack.some((text) => title.includes(text)))
    : all
      ? known
      : selected(known);
  if (wanted.length === 0)
    throw new Error(`no stack has '${stack?.join("' or '")}' in its title: see scripts/check-deploy`);
  for (const { title, missing } of wanted)
    if (missing !== undefined) console.log(`skipped: ${title}: ${missing}`);
  const subjects = wanted.filter(({ missing }) => missing === undefined);
  const cloud = await Cloud.start(python, newFolder(folder, 'ministack'));
  const rows = await liveAll(subjects, cloud);
  printTable(rows);
  const identical = rows.reduce((sum, row) => sum + row.right, 0);
  const failures = rows.flatMap((row) => row.failures).length;
  const minutes = ((performance.now() - start) / 60_000).toFixed(1);
  console.log(`${rows.length} stacks, ${identical} right calls, ${failures} failures, ${minutes} minutes`);
  if (failures > 0) process.exitCode = 1;
}

function selected(known: readonly Subject[]): Subject[] {
  return known.flatMap((subject) => {
    const columns = SELECTION.get(subject.title);
    if (columns === undefined) return [];
    return { ...subject, changes: subject.changes.filter(([column]) => columns.includes(column)) };
  });
}

async function liveAll(subjects: readonly Subject[], cloud: Cloud): Promise<Row[]> {
  const rows = subjects.map(({ title }) => new Row(title));
  const work = async (waiting: number[]): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      await live(subjects[index], cloud, rows[index]);
      const failures = [...new Set(rows[index].failures)].join('\n  ');
      console.log(`${subjects[index].title}: ${failures || 'all right'}`);
    }
  };
  const [beside, alone] = [false, true].map((isAlone) =>
    [...subjects.keys()].filter((index) => (subjects[index].isAlone === true) === isAlone),
  );
  await Promise.all(Array.from({ length: AT_A_TIME }, () => work(beside)));
  await work(alone);
  return rows;
}

function newFolder(parent: string, name: string): string {
  const folder = path.join(parent, name);
  fs.mkdirSync(folder);
  return folder;
}

function cleanUpAtExit(folder: string): void {
  process.once('exit', () => {
    endAll();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(SIGNALLED + os.constants.signals[signal]));
}

new Command('check:deploy')
  .description(
    'Deploys stacks to MiniStack, calls them, updates, redrives and destroys them. Exit code 1: a call or a step failed.',
  )
  .option('--all', 'all stacks and examples, instead of a selection')
  .option('--stack <text...>', 'only stacks with one of these texts in their titles')
  .action(main)
  .parseAsync()
  .then(
    () => process.exit(),
    (error: unknown) => {
      if (error instanceof Missing) console.log(`skipped: the check of deployments: ${error.message}`);
      else console.error(error);
      process.exit(error instanceof Missing ? 0 : 1);
    },
  );
