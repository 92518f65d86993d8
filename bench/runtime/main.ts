/**
 * `npm run bench:runtime`: measures how long slices take to start and to call, and how much memory they need, against the
 * whole model in one function and against naive slices. The network is simulated; all functions share this machine's
 * processors.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { SIMULATIONS } from '../../local';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { formatTable } from '../measure';
import { FLOAT, GraphBuilder } from '../graph-builder';
import { BERT_LARGE } from '../models/transformer';
import { benchCold, type ColdResult, type ColdSimulation } from './cold';
import { benchConsolidation } from './consolidation';
import { benchStateTensors } from './state-tensors';
import { Subjects } from './subjects';
import { benchWarm } from './warm';

const SECTIONS = ['cold', 'warm', 'consolidation', 'state'] as const;
type Section = (typeof SECTIONS)[number];

interface Options {
  readonly only: readonly Section[];
  readonly rounds: number;
  readonly layers: number;
  readonly slices: number;
  readonly protocol: 'http' | 'https';
  readonly folder: string;
}

/** All delays at once, as on AWS. */
const AWS = SIMULATIONS.aws as ColdSimulation;

async function main(folder: string, options: Options): Promise<void> {
  const wants = (section: Section): boolean => options.only.includes(section);
  print(describeMachine());
  print(
    `files in ${options.folder}; medians of ${options.rounds} rounds (lowest-highest); MB = 10^6 bytes\n`,
  );
  if ((['cold', 'warm', 'consolidation'] as const).some(wants)) {
    await transformerSections(folder, options, wants);
  }
  if (wants('state')) {
    const text = await benchStateTensors(path.join(folder, 'state'), AWS, 10 * options.rounds);
    print(`small tensors in the state; network, S3 and transitions as --simulate aws\n${text}\n`);
  }
}

async function transformerSections(
  folder: string,
  { rounds, layers, slices, protocol }: Options,
  wants: (section: Section) => boolean,
): Promise<void> {
  const own = path.join(folder, 'transformer');
  fs.mkdirSync(own);
  const subjects = new Subjects(own, { ...BERT_LARGE, layers }, slices);
  const total = subjects.sliceBytes.reduce((sum, bytes) => sum + bytes, 0);
  print(
    `a transformer of ${layers} layers with hidden size ${BERT_LARGE.hidden}, ${(total / 1e6).toFixed(0)} MB, in ${slices} slices\n`,
  );
  if (wants('cold')) {
    const result = await benchCold(subjects, AWS, folder, { rounds, protocol });
    print(`network, S3 and transitions as --simulate aws; ${protocol}\n${result.table}\n${result.ratios}\n`);
    print(`${memoryTable(subjects, result, bareBytes(folder))}\n`);
  }
  if (wants('warm')) print(`${await benchWarm(subjects, 10 * rounds)}\n`);
  if (wants('consolidation')) {
    const text = await benchConsolidation(subjects, AWS, rounds);
    print(`consolidation; network, S3 and transitions as --simulate aws\n${text}\n`);
  }
  subjects.remove();
}

/** Compares the peak memory of the largest function with the memory that it needs at least. */
function memoryTable({ plan }: Subjects, { peaks, peaksAlone, wholePeak }: ColdResult, bare: number): string {
  const needs = plan.slices.map(
    ({ model, weights, activationBytes, readBytes, writeBytes }) =>
      bare + model.bytes + (weights?.bytes ?? 0) + activationBytes + readBytes + writeBytes,
  );
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const row = (name: string, ofSlices: readonly number[]): string[] => {
    const largest = ofSlices.indexOf(Math.max(...ofSlices));
    return [
      `${name}, slice ${largest}`,
      megabytes(ofSlices[largest]),
      megabytes(needs[largest]),
      (ofSlices[largest] / needs[largest]).toFixed(3),
      (ofSlices[largest] / wholePeak).toFixed(3),
    ];
  };
  return formatTable(
    ['peak memory of the largest', 'MB', 'bare + weights + activations MB', 'ratio', 'ratio to whole'],
    [
      row('all start at once', peaks),
      row('one starts after another', peaksAlone),
      ['the whole model', megabytes(wholePeak), '', '', '1'],
      ['bare runtime', megabytes(bare), '', '', ''],
    ],
  );
}

/** What a function needs for a model of one operator, it needs for any model. */
function bareBytes(folder: string): number {
  const model = path.join(folder, 'one-operator.onnx');
  const graph = new GraphBuilder();
  graph.output(graph.node('Tanh', [graph.input('x', FLOAT, [1, 512])]), FLOAT, [1, 512]);
  graph.write(model);
  return Number(
    execFileSync(process.execPath, [path.join(__dirname, 'bare-child.js'), model], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
}

function sections(text: string): Section[] {
  return text.split(',').map((name) => {
    const known = SECTIONS.find((section) => section === name);
    if (known === undefined) throw new InvalidArgumentError(`It must be a list of ${SECTIONS.join(', ')}.`);
    return known;
  });
}

new Command('bench:runtime')
  .description(
    'Measures time and memory of slice functions. Needs about 10 GB of memory or disk, and half an hour.',
  )
  .addOption(
    new Option('--only <sections>', `sections to run, of ${SECTIONS.join(',')}`)
      .argParser(sections)
      .default(SECTIONS),
  )
  .addOption(numberOption('--rounds <n>', 'number of rounds of each measurement', 3))
  .addOption(numberOption('--layers <n>', 'number of layers of the transformer', BERT_LARGE.layers))
  .addOption(numberOption('--slices <n>', 'number of slices of the transformer', 8))
  .addOption(
    new Option('--protocol <name>', 'how functions speak to S3 in the section cold')
      .choices(['https', 'http'])
      .default('https'),
  )
  .addOption(folderOption())
  .action((options: Options) =>
    inOwnFolder(options.folder, 'bench-runtime', (folder) => main(folder, options)),
  )
  .parse();
