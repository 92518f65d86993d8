/**
 * `npm run bench:layers`: models with a layer that is larger than their functions: whether the parts of the layer compute the same bits,
 * whether they fit the memory of the plan, and how long cutting takes beside copying.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { describeMachine, folderOption, inOwnFolder, print } from '../harness';
import { formatTable } from '../measure';
import { COLD_HEAD, measureCold } from './cold';
import { COPYING_HEAD, measureCopying } from './copying';
import { FORKS_HEAD, measureForks } from './forks';
import { LAYERS_HEAD, measureLayers } from './measure-layers';
import { SUBJECTS } from './models';

interface Options {
  readonly only: readonly string[];
  readonly models: readonly string[];
  readonly folder: string;
}

/** Each prints a table. */
const MEASUREMENTS = { layers: LAYERS_HEAD, copying: COPYING_HEAD, cold: COLD_HEAD, forks: FORKS_HEAD };

async function main(own: string, { only, models }: Options): Promise<void> {
  print(`${describeMachine()}; MB = 10^6 bytes`);
  const inFolder = async <T>(name: string, work: (folder: string) => T | Promise<T>): Promise<T> => {
    const folder = path.join(own, name);
    fs.mkdirSync(folder);
    const result = await work(folder);
    for (const used of [folder, process.env.SLICED_INFERENCE_CACHE ?? folder])
      fs.rmSync(used, { recursive: true, force: true });
    return result;
  };
  const rows = {
    layers: async () => {
      const measured: string[][] = [];
      for (const name of models)
        measured.push(await inFolder(name, (folder) => measureLayers(folder, SUBJECTS[name])));
      return measured;
    },
    copying: () => inFolder('copying', measureCopying),
    cold: () => inFolder('cold', measureCold),
    forks: () => inFolder('forks', measureForks),
  };
  for (const name of Object.keys(MEASUREMENTS) as (keyof typeof MEASUREMENTS)[])
    if (only.includes(name)) print(formatTable(MEASUREMENTS[name], await rows[name]()));
}

const listOf =
  (known: readonly string[]) =>
  (text: string): string[] => {
    const chosen = text.split(',');
    if (chosen.every((name) => known.includes(name))) return chosen;
    throw new InvalidArgumentError(`It must be some of ${known.join(',')}.`);
  };

const list = (flags: string, description: string, known: readonly string[]): Option =>
  new Option(`${flags} <list>`, `${description}, separated by commas`)
    .argParser(listOf(known))
    .default(known);

new Command('bench:layers')
  .description('Splits layers that are larger than functions. Needs 20 GB of disk, and half an hour.')
  .addOption(list('--only', 'measurements', Object.keys(MEASUREMENTS)))
  .addOption(list('--models', 'models of the first measurement', Object.keys(SUBJECTS)))
  .addOption(folderOption(os.tmpdir()))
  .action((options: Options) => inOwnFolder(options.folder, 'bench-layers', (own) => main(own, options)))
  .parse();
