/**
 * `npm run bench:slice`: measures how long slicing a model takes and how much memory it needs. The baseline of the times,
 * measured in the same run, is to copy the model's files and read the copies once for their SHA-256.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { formatSpread, measureNode, spread, type Measured, type Spread } from '../measure';
import { formatTable } from '../table';
import { chainOf, writeEmbedded, writeExternal, writeManyNodes } from './models';
import type { OwnResources } from './synth-app';

const ROOT = path.join(__dirname, '../../..');
const CLI = path.join(ROOT, 'dist/bundle/program.js');
const SLICES = '8';
const MB = 1e6;

interface Options {
  readonly embedded: number;
  readonly external: number;
  readonly nodes: number;
  readonly rounds: number;
  readonly folder?: string;
}

interface Subject {
  readonly name: string;
  /** The model's file, then its files of external data. */
  readonly files: readonly string[];
}

function main(options: Options): void {
  const folder = fs.mkdtempSync(path.join(options.folder ?? os.tmpdir(), 'bench-slice-'));
  try {
    const start = measureNode(['-e', '0']).peaks.node ?? 0;
    print(
      `Node.js ${process.version}, ${os.cpus().length} x ${os.cpus().at(0)?.model ?? 'unknown processor'}`,
    );
    print(`medians of ${options.rounds} rounds (lowest-highest); MB = 10^6 bytes`);
    print(`peak resident memory of Node.js alone: ${megabytes(start)} MB\n`);
    const subjects = [
      external(folder, options.external / 10),
      external(folder, options.external),
      embedded(folder, options.embedded),
    ];
    measureSlicing(subjects, folder, options.rounds, start);
    measureSynthesis(subjects[1], folder, options.rounds);
    measureManyNodes(folder, options.nodes, options.rounds);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function external(folder: string, size: number): Subject {
  const file = path.join(folder, `external-${size}.onnx`);
  writeExternal(file, chainOf(size));
  return { name: `${size} MB, external data`, files: [file, `${file}.data`] };
}

function embedded(folder: string, size: number): Subject {
  const file = path.join(folder, `embedded-${size}.onnx`);
  writeEmbedded(file, chainOf(size));
  return { name: `${size} MB, embedded`, files: [file] };
}

/** Measures time against the baseline, and memory. Baseline and slicing alternate, so both see the same load. */
function measureSlicing(subjects: readonly Subject[], folder: string, rounds: number, start: number): void {
  const out = path.join(folder, 'out');
  const rows = subjects.map(({ name, files }) => {
    const baselines: number[] = [];
    const slicings: Measured[] = [];
    for (let round = 0; round < rounds; round++) {
      baselines.push(measureNode([path.join(__dirname, 'copy-and-hash.js'), out, ...files]).seconds);
      fs.rmSync(out, { recursive: true });
      slicings.push(slice(files[0], out, path.join(folder, `cache-${round}`)));
      fs.rmSync(out, { recursive: true });
      fs.rmSync(path.join(folder, `cache-${round}`), { recursive: true });
    }
    const seconds = slicings.map((measured) => measured.seconds);
    const ratios = seconds.map((value, round) => value / baselines[round]);
    const peak = (script: string): string =>
      megabytes(Math.max(...slicings.map(({ peaks }) => peaks[script] ?? NaN)) - start);
    return [
      name,
      formatSpread(spread(baselines), 1),
      formatSpread(spread(seconds), 1),
      formatSpread(spread(ratios), 2),
      peak('program'),
      peak('infer-child'),
    ];
  });
  print(`slicing into ${SLICES} slices with an empty cache`);
  print(
    formatTable(
      [
        'model',
        'copy + SHA-256 s',
        'slice s',
        'ratio',
        'CLI peak above Node.js MB',
        'type inference peak MB',
      ],
      rows,
    ),
  );
}

function slice(model: string, out: string, cache: string): Measured {
  return measureNode([CLI, 'slice', model, '--slices', SLICES, '--out', out], {
    SLICED_INFERENCE_CACHE: cache,
  });
}

/**
 * Measures how much a pipeline adds to a second synthesis, each time into a new output folder. Most of that is CDK's own
 * work: loading its modules, which an app with functions of its own loads anyway, and adding the resources, whose number
 * does not depend on the model's size. A pipeline with as many slices of a tiny model shows that part. CDK's validation
 * of templates is off, because it adds seconds of noise.
 */
function measureSynthesis({ name, files }: Subject, folder: string, rounds: number): void {
  const variables = { SLICED_INFERENCE_CACHE: path.join(folder, 'synth-cache'), CDK_VALIDATION: 'false' };
  const synth = (own: OwnResources, ...models: string[]): number => {
    const outdir = path.join(folder, 'cdk.out');
    const app = path.join(__dirname, 'synth-app.js');
    const { seconds } = measureNode([app, own, outdir, ...models], variables);
    fs.rmSync(outdir, { recursive: true });
    return seconds * 1000;
  };
  const [large] = files;
  const tiny = path.join(folder, 'tiny.onnx');
  writeEmbedded(tiny, { layers: 16, width: 64 });
  synth('bucket', tiny);
  const first = synth('bucket', large);
  const kinds: [OwnResources, string][] = [
    ['application', 'a bucket, a function, a state machine'],
    ['bucket', 'only a bucket'],
  ];
  const measured = kinds.map(([own, title]) => {
    // The difference is small against the noise of a whole process, so measure more rounds.
    const samples = Array.from({ length: 5 * rounds }, () => {
      const without = synth(own);
      return { without, tiny: synth(own, tiny) - without, large: synth(own, large) - without };
    });
    const of = (key: 'without' | 'tiny' | 'large'): Spread => spread(samples.map((sample) => sample[key]));
    return { title, without: of('without'), tiny: of('tiny'), large: of('large') };
  });
  print(`\nsecond synthesis of a stack with a pipeline (${name}, ${SLICES} slices) into a new output folder`);
  print(
    formatTable(
      ['other resources', 'without pipeline ms', `${name} adds ms`, 'tiny model adds ms'],
      measured.map((row) => [
        row.title,
        ...[row.without, row.large, row.tiny].map((value) => formatSpread(value, 0)),
      ]),
    ),
  );
  const bare = measured[1];
  const added = first - bare.without.median;
  print(
    `first synthesis: the pipeline adds ${added.toFixed(0)} ms; ratio of second to first: ${(bare.large.median / added).toFixed(4)}`,
  );
}

/** Measures a graph of many nodes. Once the cache has the types, the remaining time is not type inference. */
function measureManyNodes(folder: string, nodes: number, rounds: number): void {
  const model = path.join(folder, 'many.onnx');
  writeManyNodes(model, nodes);
  const cache = path.join(folder, 'many-cache');
  const out = path.join(folder, 'out');
  const timed = (): number => {
    const { seconds } = slice(model, out, cache);
    fs.rmSync(out, { recursive: true });
    return seconds;
  };
  const bare: number[] = [];
  const all: number[] = [];
  const withTypes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(measureNode([CLI, '--version']).seconds);
    fs.rmSync(cache, { recursive: true, force: true });
    all.push(timed());
    withTypes.push(timed());
  }
  const ratio: Spread = spread(withTypes.map((value, round) => value / all[round]));
  print(`\nslicing a graph of ${nodes} nodes into ${SLICES} slices`);
  print(
    formatTable(
      ['CLI --version s', 'slice s', 'slice with cached types s', 'ratio'],
      [[spread(bare), spread(all), spread(withTypes), ratio].map((value) => formatSpread(value, 2))],
    ),
  );
}

function megabytes(bytes: number): string {
  return (bytes / MB).toFixed(0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function above(least: number): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from ${least} up.`);
  };
}

new Command('bench:slice')
  .description('Measures time and memory of slicing generated models, and deletes the models afterwards.')
  .addOption(
    new Option('--embedded <mb>', 'size of the model with embedded weights')
      .argParser(above(10))
      .default(600),
  )
  .addOption(
    new Option(
      '--external <mb>',
      'size of the model with external data; a model of a tenth of the size is measured too',
    )
      .argParser(above(100))
      .default(4000),
  )
  .addOption(
    new Option('--nodes <n>', 'number of nodes in the graph of many nodes')
      .argParser(above(100))
      .default(10_000),
  )
  .addOption(
    new Option('--rounds <n>', 'number of rounds of each measurement').argParser(above(1)).default(3),
  )
  .option('--folder <path>', 'folder for the models, with free space for about three times the largest model')
  .action(main)
  .parse();
