/**
 * `npm run bench:slice`: what cutting a model costs. Each time stands beside a baseline of the same run: copying the
 * model's files and reading the copies once for their SHA-256.
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
const CLI = path.join(ROOT, 'dist/bin/program.js');
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
  /** The model's own file, and those beside it. */
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
    print(`Node.js alone: peak of ${megabytes(start)} MB resident\n`);
    const subjects = [
      external(folder, options.external / 10),
      external(folder, options.external),
      embedded(folder, options.embedded),
    ];
    cutting(subjects, folder, options.rounds, start);
    synthesis(subjects[1], folder, options.rounds);
    manyNodes(folder, options.nodes, options.rounds);
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

/** Time against the baseline, and memory. Baseline and cutting take turns, so that both see the same machine. */
function cutting(subjects: readonly Subject[], folder: string, rounds: number, start: number): void {
  const out = path.join(folder, 'out');
  const rows = subjects.map(({ name, files }) => {
    const baselines: number[] = [];
    const cuts: Measured[] = [];
    for (let round = 0; round < rounds; round++) {
      baselines.push(measureNode([path.join(__dirname, 'copy-and-hash.js'), out, ...files]).seconds);
      fs.rmSync(out, { recursive: true });
      cuts.push(cut(files[0], out, path.join(folder, `cache-${round}`)));
      fs.rmSync(out, { recursive: true });
      fs.rmSync(path.join(folder, `cache-${round}`), { recursive: true });
    }
    const seconds = cuts.map((measured) => measured.seconds);
    const ratios = seconds.map((value, round) => value / baselines[round]);
    const peak = (script: string): string =>
      megabytes(Math.max(...cuts.map(({ peaks }) => peaks[script] ?? NaN)) - start);
    return [
      name,
      formatSpread(spread(baselines), 1),
      formatSpread(spread(seconds), 1),
      formatSpread(spread(ratios), 2),
      peak('program'),
      peak('infer-child'),
    ];
  });
  print(`cutting into ${SLICES} slices, with an empty cache`);
  print(
    formatTable(
      ['model', 'copy + SHA-256 s', 'slice s', 'ratio', 'peak above Node.js MB', 'of type inference MB'],
      rows,
    ),
  );
}

function cut(model: string, out: string, cache: string): Measured {
  return measureNode([CLI, 'slice', model, '--slices', SLICES, '--out', out], {
    SLICED_INFERENCE_CACHE: cache,
  });
}

/**
 * What a second synthesis costs, into a new output folder each time. Most of what a pipeline adds to a stack is CDK's
 * own work: loading its modules, which a stack with functions of its own does anyway, and its resources, whatever the
 * model. A pipeline of as many slices of a tiny model shows how much. CDK's validation of templates, seconds of noise,
 * is switched off.
 */
function synthesis({ name, files }: Subject, folder: string, rounds: number): void {
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
    ['bucket', 'a bucket alone'],
  ];
  const measured = kinds.map(([own, title]) => {
    // Small against the noise of a whole process: more rounds.
    const samples = Array.from({ length: 5 * rounds }, () => {
      const without = synth(own);
      return { without, tiny: synth(own, tiny) - without, large: synth(own, large) - without };
    });
    const of = (key: 'without' | 'tiny' | 'large'): Spread => spread(samples.map((sample) => sample[key]));
    return { title, without: of('without'), tiny: of('tiny'), large: of('large') };
  });
  print(`\nsecond synthesis with a pipeline of ${name}, ${SLICES} slices, into a new output folder`);
  print(
    formatTable(
      ['stack', 'without it ms', `${name} adds ms`, 'a tiny model adds ms'],
      measured.map((row) => [
        row.title,
        ...[row.without, row.large, row.tiny].map((value) => formatSpread(value, 0)),
      ]),
    ),
  );
  const bare = measured[1];
  const added = first - bare.without.median;
  print(
    `the first time it added ${added.toFixed(0)} ms; ratio of the second to that: ${(bare.large.median / added).toFixed(4)}`,
  );
}

/** A graph of many nodes: what is not type inference shows once the cache has the types. */
function manyNodes(folder: string, nodes: number, rounds: number): void {
  const model = path.join(folder, 'many.onnx');
  writeManyNodes(model, nodes);
  const cache = path.join(folder, 'many-cache');
  const out = path.join(folder, 'out');
  const timed = (): number => {
    const { seconds } = cut(model, out, cache);
    fs.rmSync(out, { recursive: true });
    return seconds;
  };
  const bare: number[] = [];
  const all: number[] = [];
  const beyond: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(measureNode([CLI, '--version']).seconds);
    fs.rmSync(cache, { recursive: true, force: true });
    all.push(timed());
    beyond.push(timed());
  }
  const ratio: Spread = spread(beyond.map((value, round) => value / all[round]));
  print(`\ncutting a graph of ${nodes} nodes into ${SLICES} slices`);
  print(
    formatTable(
      ['command alone s', 'slice s', 'beyond type inference s', 'ratio'],
      [[spread(bare), spread(all), spread(beyond), ratio].map((value) => formatSpread(value, 2))],
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
    throw new InvalidArgumentError(`It must be a whole number from ${least} on.`);
  };
}

new Command('bench:slice')
  .description('measures what cutting models costs; models are generated, and removed again')
  .addOption(
    new Option('--embedded <mb>', 'size of the model with its weights inside')
      .argParser(above(10))
      .default(600),
  )
  .addOption(
    new Option(
      '--external <mb>',
      'size of the model with its weights beside it; a tenth of it is measured too',
    )
      .argParser(above(100))
      .default(4000),
  )
  .addOption(
    new Option('--nodes <n>', 'nodes of the graph of many nodes').argParser(above(100)).default(10_000),
  )
  .addOption(new Option('--rounds <n>', 'rounds of each measurement').argParser(above(1)).default(3))
  .option('--folder <path>', 'where the models go; it needs room for about three times the largest')
  .action(main)
  .parse();
