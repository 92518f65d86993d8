/**
 * `npm run bench:runtime`: measures cold runs in Lambda's simulated network: slices with and without warm-up, and the whole model
 * in one function. All functions share this machine's processors.
 */
import { Command, Option } from 'commander';
import { SIMULATIONS } from '../../local';
import type { Deployment, Run } from '../deployment';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { formatSpread, formatTable, spread } from '../measure';
import { BERT_LARGE } from '../models/transformer';
import { NAMES, Subjects, type DeploymentName } from './subjects';

interface Options {
  readonly rounds: number;
  readonly layers: number;
  readonly slices: number;
  readonly protocol: 'http' | 'https';
  readonly folder: string;
}

/** One cold run of each deployment. */
type Round = Readonly<Record<DeploymentName, Run>>;

async function main(folder: string, options: Options): Promise<void> {
  const { rounds, layers, slices, protocol } = options;
  print(describeMachine());
  print(
    `files in ${options.folder}; medians of ${rounds} rounds (lowest-highest); network, S3 and transitions as --simulate aws; ${protocol}`,
  );
  const subjects = new Subjects(folder, { ...BERT_LARGE, layers }, slices);
  const megabytes = subjects.sliceBytes.reduce((sum, bytes) => sum + bytes, 0) / 1e6;
  print(
    `a transformer of ${layers} layers with hidden size ${BERT_LARGE.hidden}, ${megabytes.toFixed(0)} MB, in ${slices} slices\n`,
  );
  print(tableOf(await measure(subjects, rounds, protocol === 'https')));
}

async function measure(subjects: Subjects, rounds: number, tls: boolean): Promise<Round[]> {
  const deployments: Deployment[] = [];
  const measured: Round[] = [];
  try {
    for (const name of NAMES)
      deployments.push(await subjects.start(name, { simulation: SIMULATIONS.aws, tls }));
    // Do not count the first run: it compiles the code of the simulation, which all deployments share.
    await deployments[0].run();
    for (let round = 0; round < rounds; round++) {
      for (const deployment of deployments) await deployment.makeCold();
      const runs: Run[] = [];
      for (const deployment of deployments) {
        subjects.claimMemory();
        runs.push(await deployment.run());
        await deployment.makeCold();
      }
      measured.push(Object.fromEntries(NAMES.map((name, index) => [name, runs[index]])) as Round);
    }
  } finally {
    for (const deployment of deployments) await deployment.close();
  }
  return measured;
}

function tableOf(rounds: readonly Round[]): string {
  const samples = (of: (round: Round) => number, digits: number): string =>
    formatSpread(spread(rounds.map(of)), digits);
  return formatTable(
    ['cold run', 's', 'ratio to whole'],
    NAMES.map((name) => [
      name,
      samples((runs) => runs[name].ms / 1000, 1),
      samples((runs) => runs[name].ms / runs.whole.ms, 2),
    ]),
  );
}

new Command('bench:runtime')
  .description('Measures cold runs. Needs about 10 GB of memory or disk, and ten minutes.')
  .addOption(numberOption('--rounds <n>', 'number of rounds', 3))
  .addOption(numberOption('--layers <n>', 'number of layers of the transformer', BERT_LARGE.layers))
  .addOption(numberOption('--slices <n>', 'number of slices of the transformer', 8))
  .addOption(
    new Option('--protocol <name>', 'how functions speak to S3').choices(['https', 'http']).default('https'),
  )
  .addOption(folderOption())
  .action((options: Options) =>
    inOwnFolder(options.folder, 'bench-runtime', (folder) => main(folder, options)),
  )
  .parse();
