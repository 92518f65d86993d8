/**
 * `npm run bench:runtime`: measures how long slices take to start and to call, and how much memory they need, against the
 * whole model in one function and against naive slices. The network is simulated; all functions share this machine's
 * processors.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type NetworkShape, SIMULATIONS } from '../../local';
import { Callers } from '../../local/s3/callers';
import { S3Server } from '../../local/s3/server';
import { DiskObjectStore } from '../../local/s3/store';
import { chainOf, writeExternal, writeManyNodes } from '../slice/models';
import { formatTable } from '../table';
import { benchCold, type ColdOptions, type ColdResult, type ColdSimulation } from './cold';
import { benchCompute } from './compute';
import { benchConnections } from './connections';
import { benchConsolidation } from './consolidation';
import { benchDownload, benchParts } from './download';
import { benchLoad } from './load';
import { benchModels } from './models';
import { FIRST_BYTE_MS } from './own-processors';
import { benchSettings } from './settings';
import { benchStateTensors } from './state-tensors';
import { Subjects } from './subjects';
import { synthesize } from './synthesize';
import { benchTensors } from './tensors';
import { benchTlsDownload, benchTlsRuns } from './tls';
import { BERT_LARGE } from './transformer';
import { benchWarm } from './warm';

const SECTIONS = [
  'download',
  'parts',
  'cold',
  'warm',
  'consolidation',
  'tls',
  'connections',
  'state',
  'compute',
  'settings',
  'tensors',
  'load',
] as const;
type Section = (typeof SECTIONS)[number];

interface Options {
  readonly only: readonly Section[];
  readonly rounds: number;
  readonly layers: number;
  readonly slices: number;
  readonly megabytes: readonly number[];
  readonly executions: number;
  readonly protocol: ColdOptions['protocol'];
  readonly folder: string;
}

const CONNECTION_BYTES_PER_SECOND = 40e6;
const SLICE_BYTES = 160e6;

/** All delays at once, as on AWS. */
const AWS = SIMULATIONS.aws as ColdSimulation;

function networkOf(megabytesPerSecond: number): NetworkShape {
  return {
    connectionBytesPerSecond: CONNECTION_BYTES_PER_SECOND,
    functionBytesPerSecond: megabytesPerSecond * 1e6,
  };
}

async function main(options: Options): Promise<void> {
  const folder = fs.mkdtempSync(path.join(options.folder, 'bench-runtime-'));
  // The functions' /tmp folders and the local S3 are there too.
  process.env.TMPDIR = folder;
  const wants = (section: Section): boolean => options.only.includes(section);
  try {
    print(
      `Node.js ${process.version}, ${os.cpus().length} x ${os.cpus().at(0)?.model ?? 'unknown processor'}`,
    );
    print(
      `files in ${options.folder}; medians of ${options.rounds} rounds (lowest-highest); MB = 10^6 bytes`,
    );
    print(
      `the network is simulated: cold runs as --simulate aws; downloads at a constant rate, first byte after ${FIRST_BYTE_MS} ms\n`,
    );
    if (wants('download')) {
      const table = await benchDownload(
        path.join(folder, 'download'),
        SLICE_BYTES,
        options.megabytes.map(networkOf),
        options.rounds,
      );
      print(`download of a slice of ${SLICE_BYTES / 1e6} MB into one function\n${table}\n`);
    }
    if (wants('parts')) {
      const network = networkOf(2 * (CONNECTION_BYTES_PER_SECOND / 1e6));
      const table = await benchParts(path.join(folder, 'parts'), SLICE_BYTES, network, options.rounds);
      print(
        `the same by parts, ${CONNECTION_BYTES_PER_SECOND / 1e6} MB/s per connection, twice that for the function\n${table}\n`,
      );
    }
    if ((['cold', 'warm', 'consolidation', 'tls'] as const).some(wants))
      await transformerSections(folder, options, wants);
    if (wants('connections')) {
      print(`${await benchConnections(path.join(folder, 'connections'), 10 * options.rounds)}\n`);
    }
    if (wants('state')) {
      const text = await benchStateTensors(path.join(folder, 'state'), AWS, 10 * options.rounds);
      print(`small tensors in the state; network, S3 and transitions as --simulate aws\n${text}\n`);
    }
    const models = wants('compute') || wants('settings') ? benchModels(folder) : [];
    if (wants('compute')) print(`${benchCompute(folder, models, 20)}\n`);
    if (wants('settings')) print(`${benchSettings(models, options.rounds)}\n`);
    if (wants('tensors')) print(`${await tensorsSection(folder, options.rounds)}\n`);
    if (wants('load')) print(`${await loadSection(folder, options.executions)}\n`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
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
    const result = await benchCold(subjects, AWS, { rounds, protocol });
    print(`network, S3 and transitions as --simulate aws; ${protocol}\n${result.table}\n${result.ratios}\n`);
    print(`${memoryTable(subjects, result, bareBytes(folder))}\n`);
  }
  if (wants('warm')) print(`${await benchWarm(subjects, 10 * rounds)}\n`);
  if (wants('consolidation')) {
    const text = await benchConsolidation(subjects, AWS, rounds);
    print(`consolidation; network, S3 and transitions as --simulate aws\n${text}\n`);
  }
  if (wants('tls')) {
    const downloads = await benchTlsDownload(path.join(folder, 'tls'), SLICE_BYTES, 3 * rounds);
    const runs = await benchTlsRuns(subjects, 10 * rounds);
    print(`TLS against plain HTTP, network not simulated\n${downloads}\n${runs}\n`);
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

function bareBytes(folder: string): number {
  const model = path.join(folder, 'one-operator.onnx');
  writeManyNodes(model, 1);
  return Number(
    execFileSync(process.execPath, [path.join(__dirname, 'bare-child.js'), model], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
}

async function tensorsSection(folder: string, rounds: number): Promise<string> {
  const bucket = 'bench';
  const store = new DiskObjectStore(path.join(folder, 'tensors'));
  store.createBucket(bucket);
  const callers = new Callers();
  const server = await S3Server.start(store, callers);
  const { accessKeyId, secretAccessKey } = callers.add();
  try {
    return await benchTensors(
      folder,
      { bucket, endpoint: server.endpoint, region: 'us-east-1', accessKeyId, secretAccessKey },
      rounds,
    );
  } finally {
    await server.close();
  }
}

async function loadSection(folder: string, executions: number): Promise<string> {
  const own = path.join(folder, 'load');
  fs.mkdirSync(own);
  const modelPath = path.join(own, 'products.onnx');
  const chain = chainOf(20);
  writeExternal(modelPath, chain);
  const [always, never] = (['always', 'never'] as const).map((warmUp) => ({
    outdir: path.join(own, warmUp),
    modelPath,
    slices: 3,
    warmUp,
  }));
  synthesize([always, never], path.join(own, 'cache'));
  const common = { modelPath, input: 'x', width: chain.width };
  return await benchLoad(
    [
      { ...common, name: 'warm', assembly: never.outdir, cold: false },
      { ...common, name: 'cold, no warm-up', assembly: never.outdir, cold: true },
      { ...common, name: 'cold, warm-up', assembly: always.outdir, cold: true },
    ],
    executions,
  );
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function positive(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It must be a whole number above 0.');
  return Number(text);
}

function folder(text: string): string {
  if (!fs.statSync(text, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InvalidArgumentError('It must be an existing folder.');
  }
  return text;
}

function sections(text: string): Section[] {
  return text.split(',').map((name) => {
    const known = SECTIONS.find((section) => section === name);
    if (known === undefined) throw new InvalidArgumentError(`It must be a list of ${SECTIONS.join(', ')}.`);
    return known;
  });
}

/** A folder in memory, if there is one, so that this machine's disk is not measured. */
const DEFAULT_FOLDER = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

if (require.main === module) {
  const options = new Command('bench:runtime')
    .description(
      'Measures time and memory of slice functions. Needs about 10 GB of memory or disk, and half an hour.',
    )
    .addOption(
      new Option('--only <sections>', `sections to run, of ${SECTIONS.join(',')}`)
        .argParser(sections)
        .default(SECTIONS),
    )
    .addOption(
      new Option('--rounds <n>', 'number of rounds of each measurement').argParser(positive).default(3),
    )
    .addOption(
      new Option('--layers <n>', 'number of layers of the transformer')
        .argParser(positive)
        .default(BERT_LARGE.layers),
    )
    .addOption(
      new Option('--slices <n>', 'number of slices of the transformer').argParser(positive).default(8),
    )
    .addOption(
      new Option(
        '--megabytes <list>',
        'constant MB/s per function of the section download, separated by commas',
      )
        .argParser((text: string) => text.split(',').map(positive))
        .default([40, 80]),
    )
    .addOption(
      new Option('--executions <n>', 'number of executions of the load section')
        .argParser(positive)
        .default(200),
    )
    .addOption(
      new Option('--protocol <name>', 'how functions speak to S3 in the section cold')
        .choices(['https', 'http'])
        .default('https'),
    )
    .addOption(
      new Option('--folder <path>', 'folder for all files').argParser(folder).default(DEFAULT_FOLDER),
    )
    .parse()
    .opts<Options>();
  void main(options);
}
