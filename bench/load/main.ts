/**
 * `npm run bench:load`: downloads of files as functions load them, over TLS, in networks of several speeds: hashed on the thread that
 * receives, as in functions of one vCPU, and in a second thread, as in larger ones. The bound is the longer of the network's time and of
 * half of the processor time of both processes, which share the processors of this machine: on Lambda, S3 takes none of them.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command } from 'commander';
import { processorClass } from '../../lambda/telemetry/processor';
import { DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { MIB } from '../../lib/cost/formulas/lambda';
import { type BucketShape, passed, steady } from '../../lib/cost/formulas/slice-timing';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { formatSpread, formatTable } from '../measure';
import type { Downloaded } from './client-child';
import type { Served } from './server-child';

interface Options {
  readonly rounds: number;
  readonly megabytes: readonly number[];
  readonly networks: readonly string[];
  readonly folder: string;
}

const WAYS = ['one', 'two'] as const;
type Way = (typeof WAYS)[number];
const PROCESSORS = 2;

async function main(folder: string, { rounds, megabytes, networks }: Options): Promise<void> {
  print(`${describeMachine()}, ${processorClass()}; MB = 10^6 bytes`);
  print(`medians of ${rounds} rounds (lowest-highest), each way in turn; files in ${folder}`);
  const rows: string[][] = [];
  for (const network of networks)
    for (const size of megabytes) rows.push(...(await rowsOf(folder, network, size * 1e6, rounds)));
  print(
    formatTable(
      ['network', 'MB', 'threads', 's', 'to one thread', 'processor s', 'and of the server', 'to the bound'],
      rows,
    ),
  );
}

interface Sample {
  readonly ms: number;
  readonly cpuMs: number;
  readonly serverMs: number;
}

async function rowsOf(folder: string, network: string, bytes: number, rounds: number): Promise<string[][]> {
  const shape = shapeOf(network);
  const server = fork(path.join(__dirname, 'server-child.js'), [
    String(bytes),
    JSON.stringify(shape ?? null),
  ]);
  server.once('exit', (code) => {
    // Nothing else would end the waits for its messages.
    process.stderr.write(`the server of the downloads ended with ${String(code)}: run the benchmark again\n`);
    process.exit(1);
  });
  try {
    const [served] = (await once(server, 'message')) as [Served];
    const samples: Record<Way, Sample>[] = [];
    // The first downloads find no memory for the cache of files.
    for (const way of WAYS) await download(folder, served, server, way);
    for (let round = 0; round < rounds; round++) {
      const one = await download(folder, served, server, 'one');
      samples.push({ one, two: await download(folder, served, server, 'two') });
    }
    const networkMs = shape ? 1000 * passed(shape.capacity, bytes, shape).seconds : 0;
    const bound = ({ cpuMs, serverMs }: Sample) => Math.max(networkMs, (cpuMs + serverMs) / PROCESSORS);
    return WAYS.map((way) => {
      const spread = (of: (sample: Sample, one: Sample) => number, digits = 2) =>
        formatSpread(
          samples.map((sample) => of(sample[way], sample.one)),
          digits,
        );
      return [
        ...[network, (bytes / 1e6).toFixed(0), way],
        spread(({ ms }) => ms / 1000),
        spread(({ ms }, one) => ms / one.ms),
        spread(({ cpuMs }) => cpuMs / 1000),
        spread(({ serverMs }) => serverMs / 1000),
        spread((sample, one) => sample.ms / bound(one)),
      ];
    });
  } finally {
    server.removeAllListeners('exit');
    server.disconnect();
  }
}

async function download(folder: string, served: Served, server: ChildProcess, way: Way): Promise<Sample> {
  const { origin, authority, sha256 } = served;
  const authorityFile = path.join(folder, 'authority.pem');
  fs.writeFileSync(authorityFile, authority);
  const before = await cpuMsOf(server);
  const client = fork(path.join(__dirname, 'client-child.js'), [sha256, path.join(folder, 'file'), way], {
    env: {
      ...process.env,
      AWS_ENDPOINT_URL_S3: origin,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'none',
      AWS_SECRET_ACCESS_KEY: 'none',
      NODE_EXTRA_CA_CERTS: authorityFile,
    },
  });
  const failed = once(client, 'exit').then(([code]) => {
    throw new Error(`a download ended with ${String(code)}`);
  });
  // It also ends after its message.
  failed.catch(() => undefined);
  const [{ ms, cpu }] = (await Promise.race([once(client, 'message'), failed])) as [Downloaded];
  return { ms, cpuMs: milliseconds(cpu), serverMs: (await cpuMsOf(server)) - before };
}

async function cpuMsOf(server: ChildProcess): Promise<number> {
  server.send('processor time');
  const [cpu] = (await once(server, 'message')) as [NodeJS.CpuUsage];
  return milliseconds(cpu);
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

/** `none`, `aws` for the network of each function, or a granted bandwidth in MB/s. */
function shapeOf(network: string): BucketShape | undefined {
  if (network === 'none') return undefined;
  if (network !== 'aws') return steady(Number(network) * 1e6);
  const { burst, burstRate, sustainedRate, refill } = DEFAULT_ENVIRONMENT.network;
  return {
    capacity: burst * MIB,
    burstRate: burstRate * MIB,
    refillRate: sustainedRate * MIB,
    refillShare: refill,
  };
}

new Command('bench:load')
  .description('Measures downloads of files as functions load them, with one thread and with two.')
  .addOption(numberOption('--rounds <n>', 'number of rounds', 5))
  .option('--megabytes <list>', 'sizes of files', (text) => text.split(',').map(Number), [300, 1300])
  .option('--networks <list>', 'none, aws or MB/s', (text) => text.split(','), ['none', 'aws', '375'])
  .addOption(folderOption())
  .action((options: Options) => inOwnFolder(options.folder, 'bench-load', (own) => main(own, options)))
  .parse();
