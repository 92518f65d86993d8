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
import { LAYERS_HEAD, measureLayers } from './measure-layers';
import { SUBJECTS } from './models';

interface Options {
  readonly models: readonly string[];
  readonly folder: string;
}

async function main(own: string, { models }: Options): Promise<void> {
  print(`${describeMachine()}; MB = 10^6 bytes`);
  const rows: string[][] = [];
  for (const name of models) {
    const folder = path.join(own, name);
    fs.mkdirSync(folder);
    rows.push(await measureLayers(folder, SUBJECTS[name]));
    fs.rmSync(folder, { recursive: true });
    fs.rmSync(process.env.SLICED_INFERENCE_CACHE ?? folder, { recursive: true, force: true });
    print(rows[rows.length - 1].join(' | '));
  }
  print(formatTable(LAYERS_HEAD, rows));
}

function names(text: string): string[] {
  const chosen = text.split(',');
  if (chosen.every((name) => Object.hasOwn(SUBJECTS, name))) return chosen;
  throw new InvalidArgumentError(`It must be some of ${Object.keys(SUBJECTS).join(',')}.`);
}

new Command('bench:layers')
  .description('Splits layers that are larger than functions. Needs 20 GB of disk, and half an hour.')
  .addOption(
    new Option('--models <list>', 'models, separated by commas')
      .argParser(names)
      .default(Object.keys(SUBJECTS)),
  )
  .addOption(folderOption(os.tmpdir()))
  .action((options: Options) => inOwnFolder(options.folder, 'bench-layers', (own) => main(own, options)))
  .parse();
