/**
 * Executions under faults: `npm run faults -- --executions 2000 --at-a-time 16 --seed 13`. The local cloud injects every kind of
 * fault into small pipelines. Each execution must end with the result of a run without faults, bit by bit, or with a failure that an
 * injected fault explains. Nothing may stay behind: no process, no socket, no file, no damaged object.
 *
 * Exit codes: 0 no violation, 1 a violation, 2 bad usage.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { encodeTensors } from '../../client';
import type { Faults } from '../../local';
import { parseFaultRates } from '../../local/faults/parse-rates';
import { type Example, encodeWithoutChecksums, synthesizeExamples } from './examples';
import { leftovers } from './leftovers';
import { Report } from './report';
import { playRound, referencesOf } from './round';
import { Slots } from './slots';

/**
 * More than half of the runs are hit, and each kind strikes dozens of times in 2,000 executions. Faults for which a function
 * waits ten seconds are the rarest.
 */
const DEFAULT_RATES = [
  'all:0.012',
  'slow-response:0.006,stalled-body:0.006,forgotten-connection:0.003',
  'out-of-memory:0.004,killed-before-write:0.006,killed-during-write:0.006,killed-after-write:0.006',
  'slow-start:0.2',
].join(',');

/** The share of faults that last for their run, so that some runs fail. */
const LASTING = 0.03;

/** Local clouds at the same time: while the last executions of one wait for their faults, the next one starts. */
const CLOUDS = 2;

/** Executions in one local cloud. Each new cloud has new sandboxes, which load their weights. */
const ROUND = 125;

interface Options {
  readonly executions: number;
  readonly atATime: number;
  readonly seed: number;
  readonly faults: string;
  readonly lasting: number;
  readonly only?: number;
  readonly checksums: boolean;
}

const VIOLATION = 1;
const BAD_USAGE = 2;

function command(): Command {
  const whole =
    (least: number, most = Number.MAX_SAFE_INTEGER) =>
    (text: string) => {
      if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    };
  const share = (text: string): number => {
    if (/^\d*\.?\d+$/.test(text) && Number(text) <= 1) return Number(text);
    throw new InvalidArgumentError('It must be a number from 0 to 1.');
  };
  return new Command('faults')
    .description(
      'Runs pipelines under injected faults and compares their results with those of runs without faults.',
    )
    .option('--executions <number>', 'number of executions', whole(1), 2000)
    .option('--at-a-time <number>', 'executions that run at the same time', whole(1, 200), 16)
    .option('--seed <number>', 'seed of the faults', whole(0), Math.floor(Math.random() * 2 ** 32))
    .option('--faults <kind:rate,...>', 'rates of the faults', DEFAULT_RATES)
    .option('--lasting <share>', 'share of faults that last for their run', share, LASTING)
    .option('--no-checksums', 'write requests without checksums, which flipped bits then make wrong')
    .option('--only <number>', 'repeat only this execution', whole(0))
    .allowExcessArguments(false)
    .configureOutput({
      outputError: (text, write) => {
        write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
      },
    })
    .exitOverride();
}

async function main(): Promise<void> {
  let options: Options;
  let faults: Faults;
  try {
    options = command().parse().opts<Options>();
    const { seed, lasting } = options;
    faults = { seed, lasting, rates: parseFaultRates(options.faults) };
  } catch (error) {
    // Commander has printed its message; a request for help is not an error.
    if (!(error instanceof CommanderError)) process.stderr.write(`error: ${(error as Error).message}\n`);
    process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : BAD_USAGE;
    return;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-faults-'));
  process.once('exit', () => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(VIOLATION));
  process.exitCode = (await test(folder, options, faults)) ? 0 : VIOLATION;
}

async function test(folder: string, options: Options, faults: Faults): Promise<boolean> {
  const models = path.join(folder, 'models');
  const temporary = path.join(folder, 'tmp');
  for (const each of [models, temporary]) fs.mkdirSync(each);
  // From here on everything that is temporary is in a folder that can be searched.
  process.env.TMPDIR = temporary;
  process.env.SLICED_INFERENCE_CACHE = path.join(folder, 'cache');
  process.env.CDK_VALIDATION = 'false';
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const examples = synthesizeExamples(models, options.checksums ? encodeTensors : encodeWithoutChecksums);
  const known = fs.readdirSync(temporary);
  const references = new Map<Example, string[]>();
  for (const example of examples) references.set(example, await referencesOf(example));

  const report = new Report(`--seed ${options.seed}${otherFlags(options)}`);
  const slots = new Slots(options.atATime);
  const clouds = new Slots(CLOUDS);
  await clouds.all(rounds(options, examples), async ({ example, executions }) => {
    const startedAt = performance.now();
    const plan = { example, executions, faults, slots, references: references.get(example) ?? [] };
    process.stdout.write(report.add(await playRound(plan)));
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stdout.write(`${executions.length} executions of ${example.name} in ${seconds} s\n`);
  });
  process.stdout.write(report.addLeftovers(await leftovers(temporary, known)));
  process.stdout.write(`\n${report.table()}\n${report.summary()}`);
  return !report.failed;
}

/** Executions of one example in one local cloud. */
interface RoundOf {
  readonly example: Example;
  readonly executions: readonly number[];
}

/** The examples take turns. A number is always in the same round of the same example. */
function rounds({ executions, only }: Options, examples: readonly Example[]): RoundOf[] {
  const total = only === undefined ? executions : only + 1;
  const inAll = ROUND * examples.length;
  const numbers = Array.from({ length: total }, (_, execution) => execution).filter(
    (execution) => only === undefined || execution === only,
  );
  return Array.from({ length: Math.ceil(total / inAll) }, (_, block) =>
    examples.map((example, index) => ({
      example,
      executions: numbers.filter(
        (execution) => Math.floor(execution / inAll) === block && execution % examples.length === index,
      ),
    })),
  )
    .flat()
    .filter((round) => round.executions.length > 0);
}

function otherFlags({ faults, lasting, checksums }: Options): string {
  const rates = faults === DEFAULT_RATES ? '' : ` --faults ${faults}`;
  const withLasting = lasting === LASTING ? '' : ` --lasting ${lasting}`;
  return `${rates}${withLasting}${checksums ? '' : ' --no-checksums'}`;
}

void main();
