/**
 * `npm run bench:layers`: models with a layer that is larger than their functions: whether the parts of the layer compute the same bits and fit the
 * memory of the plan, how long cutting takes beside copying, and whether splits make runs faster.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { describeMachine, folderOption, inOwnFolder, print } from '../harness';
import { formatTable } from '../measure';
import { COPYING_HEAD, measureCopying } from './copying';
import { LAYERS_HEAD, measureLayers } from './measure-layers';
import { SUBJECTS } from './models';
import { SPEED, SPEED_HEAD } from './speed';

interface Options {
  readonly models: readonly string[];
  readonly folder: string;
}

type Rows = readonly (readonly string[])[];

interface Table {
  readonly head: readonly string[];
  /** By what `--models` calls them. */
  readonly rows: Readonly<Record<string, (folder: string) => Rows | Promise<Rows>>>;
}

const layers = Object.entries(SUBJECTS).map(
  ([name, subject]) => [name, async (folder: string) => [await measureLayers(folder, subject)]] as const,
);

const TABLES: readonly Table[] = [
  { head: LAYERS_HEAD, rows: Object.fromEntries(layers) },
  { head: COPYING_HEAD, rows: { copying: measureCopying } },
  { head: SPEED_HEAD, rows: SPEED },
];
const NAMES = TABLES.flatMap(({ rows }) => Object.keys(rows));

async function main(own: string, { models }: Options): Promise<void> {
  print(`${describeMachine()}; MB = 10^6 bytes`);
  for (const { head, rows } of TABLES) {
    const measured: (readonly string[])[] = [];
    for (const name of Object.keys(rows).filter((known) => models.includes(known))) {
      const folder = path.join(own, name);
      fs.mkdirSync(folder);
      measured.push(...(await rows[name](folder)));
      for (const used of [folder, path.join(own, 'cache')]) fs.rmSync(used, { recursive: true, force: true });
    }
    if (measured.length > 0) print(formatTable(head, measured));
  }
}

function names(text: string): string[] {
  const chosen = text.split(',');
  if (chosen.every((name) => NAMES.includes(name))) return chosen;
  throw new InvalidArgumentError(`It must be some of ${NAMES.join(',')}.`);
}

new Command('bench:layers')
  .description('Splits layers that are larger than functions. Needs 20 GB of disk, and half an hour.')
  .addOption(new Option('--models <list>', 'some, separated by commas').argParser(names).default(NAMES))
  .addOption(folderOption(os.tmpdir()))
  .action((options: Options) => inOwnFolder(options.folder, 'bench-layers', (own) => main(own, options)))
  .parse();
