/**
 * `npm run bench:runtime`: measures cold runs in Lambda's simulated network, and the warm runs after them: slices with and without warm-up, and the
 * whole model in one function, with and without prepacked weights. All functions share this machine's processors.
 */
import * as path from 'node:path';
import { Command, Option } from 'commander';
import { deploy, type Deployment } from '../deployment';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { writeTransformer } from '../inputs';
import { formatSpread, formatTable } from '../measure';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { sliceModel, synthesize } from '../synthesize';

interface Options {
  readonly rounds: number;
  readonly gigabytes: string;
  readonly slices: number;
  readonly folder: string;
}

/** Elements of a token, as in BERT-large. */
const HIDDEN = 1024;

interface Variant {
  readonly isWhole: boolean;
  readonly prepacking: 'always' | 'never';
  readonly warmUp: boolean;
}

const VARIANTS = {
  sliced: { isWhole: false, prepacking: 'always', warmUp: true },
  'sliced, not packed': { isWhole: false, prepacking: 'never', warmUp: true },
  'sliced, no warm-up': { isWhole: false, prepacking: 'always', warmUp: false },
  whole: { isWhole: true, prepacking: 'always', warmUp: false },
  'whole, not packed': { isWhole: true, prepacking: 'never', warmUp: false },
} as const satisfies Record<string, Variant>;

type Name = keyof typeof VARIANTS;
const NAMES = Object.keys(VARIANTS) as Name[];

/** Milliseconds of one cold run, and of the warm run after it, of each deployment; `computing` is the part of the warm run in ONNX Runtime. */
type Round = Readonly<
  Record<Name, { readonly cold: number; readonly warm: number; readonly computing: number }>
>;

async function main(folder: string, { rounds, gigabytes, slices, ...rest }: Options): Promise<void> {
  print(describeMachine());
  print(
    `files in ${rest.folder}; medians of ${rounds} rounds (lowest-highest); network, S3 and transitions as --simulate aws`,
  );
  const model = writeTransformer(path.join(folder, 'model'), gigabytes, HIDDEN);
  const plans = new Map<string, SlicePlan>();
  const subjects = Object.values(VARIANTS).map(({ isWhole, prepacking, warmUp }, index) => {
    const out = path.join(folder, `${isWhole ? 'whole' : 'slices'}-${prepacking}`);
    if (!plans.has(out))
      plans.set(out, sliceModel(model, isWhole ? 1 : slices, out, ['--prepacking', prepacking]));
    return { outdir: path.join(folder, `assembly-${index}`), slices: out, warmUp };
  });
  const [plan] = plans.values();
  const bytes = plan.slices.reduce((sum, own) => sum + own.model.bytes + (own.weights?.bytes ?? 0), 0);
  print(`a transformer of ${(bytes / 1e6).toFixed(0)} MB in ${slices} slices\n`);
  synthesize(...subjects);
  const deployments: Deployment[] = [];
  try {
    const options = { simulation: 'aws' } as const;
    for (const { outdir } of subjects) deployments.push(await deploy(model, outdir, options));
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
    const times: Round[Name][] = [];
    for (const deployment of deployments) {
      await deployment.makeCold();
      const { ms: cold } = await deployment.run();
      const { ms: warm, timings } = await deployment.run();
      times.push({ cold, warm, computing: timings.reduce((sum, { runMs }) => sum + runMs, 0) });
      await deployment.makeCold();
    }
    measured.push(Object.fromEntries(NAMES.map((name, index) => [name, times[index]])) as Round);
  }
  return measured;
}

function tableOf(rounds: readonly Round[]): string {
  const rows = NAMES.map((name) => [
    name,
    ...(['cold', 'warm', 'computing'] as const).flatMap((temperature) => [
      formatSpread(
        rounds.map((runs) => runs[name][temperature] / 1000),
        2,
      ),
      formatSpread(
        rounds.map((runs) => runs[name][temperature] / runs.whole[temperature]),
        2,
      ),
    ]),
  ]);
  return formatTable(
    ['run', ...['cold, s', 'warm, s', 'of it computing, s'].flatMap((what) => [what, 'ratio to whole'])],
    rows,
  );
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
