/**
 * `npm run bench:runtime`: measures cold runs in Lambda's simulated network: slices with and without warm-up, and the whole model
 * in one function. All functions share this machine's processors.
 */
import * as path from 'node:path';
import { Command, Option } from 'commander';
import { deploy, type Deployment } from '../deployment';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { writeTransformer } from '../inputs';
import { formatSpread, formatTable } from '../measure';
import { sliceModel, synthesize } from '../synthesize';

interface Options {
  readonly rounds: number;
  readonly gigabytes: string;
  readonly slices: number;
  readonly folder: string;
}

/** Elements of a token, as in BERT-large. */
const HIDDEN = 1024;

const NAMES = ['sliced', 'sliced, no warm-up', 'whole'] as const;

/** The milliseconds of one cold run of each deployment. */
type Round = Readonly<Record<(typeof NAMES)[number], number>>;

async function main(folder: string, { rounds, gigabytes, slices, ...rest }: Options): Promise<void> {
  print(describeMachine());
  print(
    `files in ${rest.folder}; medians of ${rounds} rounds (lowest-highest); network, S3 and transitions as --simulate aws`,
  );
  const model = writeTransformer(path.join(folder, 'model'), gigabytes, HIDDEN);
  const [parts, one] = ['slices', 'whole'].map((name) => path.join(folder, name));
  const plan = sliceModel(model, slices, parts);
  sliceModel(model, 1, one);
  const bytes = plan.slices.reduce((sum, own) => sum + own.model.bytes + (own.weights?.bytes ?? 0), 0);
  print(`a transformer of ${(bytes / 1e6).toFixed(0)} MB in ${slices} slices\n`);
  const [sliced, cold, whole] = NAMES.map((_, index) => path.join(folder, `assembly-${index}`));
  synthesize(
    { outdir: sliced, slices: parts, warmUp: true },
    { outdir: cold, slices: parts },
    { outdir: whole, slices: one },
  );
  const deployments: Deployment[] = [];
  try {
    const options = { simulation: 'aws' } as const;
    for (const assembly of [sliced, cold, whole]) deployments.push(await deploy(model, assembly, options));
    print(tableOf(await measure(deployments, rounds)));
  } finally {
    for (const deployment of deployments) await deployment.close();
  }
}

async function measure(deployments: readonly Deployment[], rounds: number): Promise<Round[]> {
  const measured: Round[] = [];
  // Do not count the first run: it compiles the code of the simulation, which all deployments share.
  await deployments[0].run();
  for (let round = 0; round < rounds; round++) {
    const times: number[] = [];
    for (const deployment of deployments) {
      await deployment.makeCold();
      times.push((await deployment.run()).ms);
      await deployment.makeCold();
    }
    measured.push(Object.fromEntries(NAMES.map((name, index) => [name, times[index]])) as Round);
  }
  return measured;
}

function tableOf(rounds: readonly Round[]): string {
  const rows = NAMES.map((name) => {
    const seconds = rounds.map((runs) => runs[name] / 1000);
    const ratios = rounds.map((runs) => runs[name] / runs.whole);
    return [name, formatSpread(seconds, 1), formatSpread(ratios, 2)];
  });
  return formatTable(['cold run', 's', 'ratio to whole'], rows);
}

new Command('bench:runtime')
  .description('Measures cold runs. Needs about 10 GB of memory or disk, and ten minutes.')
  .addOption(numberOption('--rounds <n>', 'number of rounds', 3))
  .addOption(new Option('--gigabytes <n>', 'size of the transformer').default('1.3'))
  .addOption(numberOption('--slices <n>', 'number of slices of the transformer', 8))
  .addOption(folderOption())
  .action((options: Options) =>
    inOwnFolder(options.folder, 'bench-runtime', (folder) => main(folder, options)),
  )
  .parse();
