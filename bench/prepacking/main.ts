/**
 * `npm run bench:prepacking`: loads and runs models with and without prepacked weights, beside a bare session of ONNX Runtime with the same
 * options and one with its defaults. Each in a process of its own, with one thread. Times are processor time.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command } from 'commander';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { type BenchModel, ocrModel, writeTransformer } from '../inputs';
import { formatSpread, formatTable, run } from '../measure';
import { type Measured, type Mode, MODES } from './job';
import { writeFourBitModel } from './models';

interface Options {
  readonly rounds: number;
  readonly runs: number;
  readonly gigabytes: string;
  readonly model: readonly BenchModel[];
  readonly folder: string;
}

const TOKENS = [1, 8, 24, 128];

function main(folder: string, { rounds, runs, gigabytes, model: given }: Options): void {
  print(`${describeMachine()}; medians of ${rounds} rounds (lowest-highest), processor time, one thread`);
  const models = given.length > 0 ? given : ownModels(folder, gigabytes);
  const rows = models.map((model) => {
    const samples = new Map<Mode, Measured[]>(MODES.map((mode) => [mode, []]));
    for (let round = 0; round < rounds; round++)
      for (const mode of MODES) samples.get(mode)?.push(measured(folder, model, mode, runs));
    const of = (mode: Mode, pick: (own: Measured) => number): number[] => (samples.get(mode) ?? []).map(pick);
    const ms = (mode: Mode, pick: keyof Measured): string =>
      formatSpread(
        of(mode, (own) => own[pick]),
        1,
      );
    const ratio = (mode: Mode, base: Mode): string => {
      const bases = of(base, ({ warmMs }) => warmMs);
      return formatSpread(
        of(mode, ({ warmMs }) => warmMs).map((own, index) => own / bases[index]),
        2,
      );
    };
    const sizes = Object.entries(model.dimensions).map(([name, size]) => `${name}=${size}`);
    return [
      `${model.name} ${sizes.join(' ')}`,
      ...[ms('not packed', 'loadMs'), ms('packed', 'loadMs')],
      ...[ms('not packed', 'firstMs'), ms('packed', 'firstMs')],
      ...[ms('not packed', 'warmMs'), ms('packed', 'warmMs')],
      ...[ratio('packed', 'bare'), ratio('packed', 'default')],
      ...[ms('not packed', 'peakMb'), ms('packed', 'peakMb')],
    ];
  });
  const pairs = ['load ms', 'first run ms', 'warm run ms'].flatMap((what) => [what, 'packed']);
  print(formatTable(['model', ...pairs, 'to bare', 'to default', 'peak MB', 'packed'], rows));
}

function ownModels(folder: string, gigabytes: string): BenchModel[] {
  const transformer = writeTransformer(path.join(folder, 'transformer'), gigabytes, 768);
  return [
    ...TOKENS.map((sequence) => ({ ...transformer, dimensions: { sequence } })),
    ...([768, 1024, 2048] as const).flatMap((hidden, index) =>
      [1, 8].map((tokens) =>
        writeFourBitModel(folder, { hidden, accuracyLevel: index === 2 ? 0 : 4, tokens }),
      ),
    ),
    ocrModel('OCR detection', 'ch_PP-OCRv4_det_infer.onnx', 640, 640),
    ocrModel('OCR recognition', 'ch_PP-OCRv4_rec_infer.onnx', 320),
  ];
}

function measured(folder: string, model: BenchModel, mode: Mode, runs: number): Measured {
  const answer = path.join(folder, 'answer.json');
  run(process.execPath, [path.join(__dirname, 'child.js'), JSON.stringify({ model, mode, runs }), answer]);
  return JSON.parse(fs.readFileSync(answer, 'utf8')) as Measured;
}

/** `model.onnx,batch=1,sequence=24`. */
function modelAt(text: string, models: readonly BenchModel[]): BenchModel[] {
  const [file, ...sizes] = text.split(',');
  const dimensions = sizes
    .map((size) => size.split('='))
    .map(([name, size]) => [name, Number(size)] as const);
  return [...models, { name: path.basename(file), file, dimensions: Object.fromEntries(dimensions) }];
}

new Command('bench:prepacking')
  .description('Measures loads and runs with and without prepacked weights.')
  .addOption(numberOption('--rounds <n>', 'number of rounds', 3))
  .addOption(numberOption('--runs <n>', 'warm runs of each process', 9))
  .option('--gigabytes <n>', 'size of the transformer', '0.26')
  .option('--model <file,name=size...>', 'measure this model instead; repeatable', modelAt, [])
  .addOption(folderOption())
  .action((options: Options) =>
    inOwnFolder(options.folder, 'bench-prepacking', (folder) => {
      main(folder, options);
      return Promise.resolve();
    }),
  )
  .parse();
