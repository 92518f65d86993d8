/**
 * Executions under faults: `npm run faults -- --executions 2000 --at-a-time 16 --seed 13`. The local cloud injects every kind of
 * fault into small pipelines, which the client calls. Each execution must end with the bits that ONNX Runtime computes on the whole
 * model, or with a failure that an injected fault explains, and must write each of its objects once. Nothing may stay behind: no
 * process, no socket, no file, no damaged object.
 *
 * Exit codes: 0 no violation, 1 a violation, 2 bad usage, 3 no answer, because the program failed or was interrupted.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Faults } from '../../local';
import { parseFaultRates } from '../../local/faults/injector';
import { strict, wholeNumber } from '../support/program-options';
import { shareZips } from '../support/share-zips';
import { type Example, synthesizeExamples } from './examples';
import { leftovers } from './leftovers';
import { Report } from './report';
import { playRound, type Round, Slots } from './round';

/**
 * Half of the runs are hit, and each kind strikes dozens of times in 2,000 executions. Faults for which a function
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

const [VIOLATION, BAD_USAGE, NO_ANSWER] = [1, 2, 3];

interface Options {
  readonly executions: number;
  readonly atATime: number;
  readonly seed: number;
  readonly faults: string;
  readonly lasting: number;
  readonly only?: number;
}

function command(): Command {
  const share = (text: string): number => {
    if (/^\d*\.?\d+$/.test(text) && Number(text) <= 1) return Number(text);
    throw new InvalidArgumentError('It must be a number from 0 to 1.');
  };
  const program = new Command('faults')
    .description(
      'Runs pipelines under injected faults and compares their results with those of ONNX Runtime.',
    )
    .option('--executions <number>', 'number of executions', wholeNumber(1), 2000)
    .option('--at-a-time <number>', 'executions that run at the same time', wholeNumber(1, 200), 16)
    .option('--seed <number>', 'seed of the faults', wholeNumber(0), Math.floor(Math.random() * 2 ** 32))
    .option('--faults <kind:rate,...>', 'rates of the faults', DEFAULT_RATES)
    .option('--lasting <share>', 'share of faults that last for their run', share, LASTING)
    .option('--only <number>', 'repeat only this execution', wholeNumber(0));
  return strict(program);
}

async function main(): Promise<number> {
  let options: Options;
  let faults: Faults;
  try {
    options = command().parse().opts<Options>();
    const { seed, lasting } = options;
    faults = { seed, lasting, rates: parseFaultRates(options.faults) };
  } catch (error) {
    // Commander has printed its message; a request for help is not an error.
    if (!(error instanceof CommanderError)) process.stderr.write(`error: ${(error as Error).message}\n`);
    return error instanceof CommanderError && error.exitCode === 0 ? 0 : BAD_USAGE;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-faults-'));
  process.once('exit', () => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(NO_ANSWER));
  return (await test(folder, options, faults)) ? 0 : VIOLATION;
}

async function test(folder: string, options: Options, faults: Faults): Promise<boolean> {
  const [models, temporary] = ['models', 'tmp'].map((name) => path.join(folder, name));
  for (const each of [models, temporary]) fs.mkdirSync(each);
  // From here on everything that is temporary is in a folder that can be searched.
  process.env.TMPDIR = temporary;
  process.env.SLICED_INFERENCE_CACHE = path.join(folder, 'cache');
  process.env.CDK_VALIDATION = 'false';
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const examples = await synthesizeExamples(models);
  for (const { assembly } of examples) shareZips(assembly);
  const known = fs.readdirSync(temporary);

  const report = new Report(flagsOf(options));
  const slots = new Slots(options.atATime);
  await new Slots(CLOUDS).all(rounds(options, examples), async (round) => {
    const startedAt = performance.now();
    process.stdout.write(report.add(await playRound(round, faults, slots)));
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const { name, schedule } = round.example;
    process.stdout.write(`${round.executions.length} executions of ${name}, ${schedule}, in ${seconds} s\n`);
  });
  const left = await leftovers(temporary, known);
  process.stdout.write(report.addOthers(left.map((each) => `left: ${each}`)));
  process.stdout.write(`\n${report.table()}\n${report.summary()}`);
  return !report.failed;
}

/** The examples take turns, so that an execution is always of the same example. */
function rounds({ executions, only }: Options, examples: readonly Example[]): Round[] {
  const numbers = only === undefined ? Array.from({ length: executions }, (_, number) => number) : [only];
  return examples.flatMap((example, index) => {
    const own = numbers.filter((number) => number % examples.length === index);
    return Array.from({ length: Math.ceil(own.length / ROUND) }, (_, round) => ({
      example,
      executions: own.slice(round * ROUND, (round + 1) * ROUND),
    }));
  });
}

/** The seed, and the arguments of this program. */
function flagsOf({ seed }: Options): string {
  return [`--seed ${seed}`, ...process.argv.slice(2)].join(' ');
}

void main()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return NO_ANSWER;
  })
  .then((exitCode) => (process.exitCode = exitCode));
