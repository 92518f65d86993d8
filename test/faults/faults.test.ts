/**
 * Executions under faults. The local cloud injects every kind of fault into small pipelines, which the client calls. Each execution must end
 * with the bits that ONNX Runtime computes on the whole model, or with a failure that an injected fault explains, and must write each of its
 * objects once. No process may stay behind.
 *
 * This is a short run at rates at which most executions meet several faults. `npm run faults` is a long one: `FAULTS_EXECUTIONS` and
 * `FAULTS_SEED` change it, and `FAULTS_ONLY` repeats one of its executions.
 */
import { spawnSync } from 'node:child_process';
import { formatTable } from '../../bin/terminal/format';
import { inParallel } from '../../lambda/store/ranged-read';
import { FAULT_KINDS, type FaultKind } from '../../local';
import { parseFaultRates } from '../../local/faults/injector';
import { until } from '../support/until';
import { type Example, synthesizeExamples } from './examples';
import { type Played, playRound } from './round';

const { FAULTS_EXECUTIONS, FAULTS_SEED = '3', FAULTS_ONLY } = process.env;

/** Executions at the same time need functions of their own, and most of the work is to start these. */
const SHORT = {
  ...{ executions: 40, atATime: 2, lasting: 0 },
  rates: 'all:0.04,stalled-body:0.015,forgotten-connection:0.01,slow-response:0.02,slow-start:0.3',
};

/**
 * Half of the runs are hit, and each kind strikes dozens of times in 2,000 executions. Faults for which a function waits ten seconds are
 * the rarest. A few faults last for their run, so that some runs fail.
 */
const LONG = {
  ...{ executions: Number(FAULTS_EXECUTIONS), atATime: 8, lasting: 0.03 },
  rates:
    'all:0.012,slow-response:0.006,stalled-body:0.006,forgotten-connection:0.003,out-of-memory:0.004,' +
    'killed-before-write:0.006,killed-during-write:0.006,killed-after-write:0.006,slow-start:0.2',
};

const isLong = FAULTS_EXECUTIONS !== undefined;
const { executions, atATime, lasting, rates } = isLong ? LONG : SHORT;
const faults = { seed: Number(FAULTS_SEED), lasting, rates: parseFaultRates(rates) };

/** Local clouds at the same time: while the last executions of one wait for their faults, the next one starts. */
const CLOUDS = 2;

/** Executions in one local cloud. Each new cloud has new sandboxes, which load their weights. */
const ROUND = 125;

/**
 * What strikes depends on the seed and on names, which change with the code. So a run draws again as many executions, up to this many
 * times, until each kind has struck and each way of serving has served.
 */
const DRAWS = 4;

/** The examples take turns, so that an execution is always of the same example. */
function rounds(examples: readonly Example[], numbers: readonly number[]): (readonly [Example, number[]])[] {
  return examples.flatMap((example, index) => {
    const own = numbers.filter((number) => number % examples.length === index);
    return Array.from({ length: Math.ceil(own.length / ROUND) }, (_, round) => {
      return [example, own.slice(round * ROUND, (round + 1) * ROUND)] as const;
    });
  });
}

const hitBy = (played: readonly Played[], kind: FaultKind) =>
  played.filter((each) => each.faults.some((fault) => fault.kind === kind));

function summaryOf(played: readonly Played[]): string {
  const rows = FAULT_KINDS.map((kind) => {
    const hit = hitBy(played, kind);
    const injected = hit.flatMap((each) => each.faults).filter((fault) => fault.kind === kind);
    return [kind, injected.length, hit.length, hit.filter(({ error }) => error !== undefined).length];
  });
  const failed = played.filter(({ error }) => error !== undefined);
  const calls = played.filter(({ execution }) => execution >= 0);
  return `${formatTable(['fault', 'injected', 'runs hit', 'failed'], rows)}\n${failed.length} of ${calls.length} failed\n`;
}

/** Kinds of faults that struck no execution, and ways of serving that served none. */
function missing(played: readonly Played[]): string[] {
  const kinds = FAULT_KINDS.filter((kind) => hitBy(played, kind).length === 0);
  const ways = (['slices', 'whole'] as const).filter((way) =>
    played.every(({ servedBy }) => servedBy !== way),
  );
  return [...kinds, ...ways];
}

function violationsIn(played: readonly Played[]): string[] {
  return played.flatMap(({ execution, violations, faults: hit }) => {
    const met = hit.map(({ kind, place }) => `${kind} at ${place}`).join(', ');
    return violations.map((each) => `FAULTS_SEED=${FAULTS_SEED} FAULTS_ONLY=${execution}: ${each}: ${met}`);
  });
}

/** The processes of functions that this process has started. */
function workers(): string[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'ppid=,args='], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => Number.parseInt(line) === process.pid && line.includes('worker.js'));
}

it('an execution under any fault returns what ONNX Runtime computes on the whole model, or names the fault', async () => {
  const played: Played[] = [];
  const examples = await synthesizeExamples();
  const play = (numbers: readonly number[]): Promise<unknown> =>
    inParallel(rounds(examples, numbers), CLOUDS, async ([example, own]) => {
      played.push(...(await playRound(example, own, faults, atATime)));
    });
  if (FAULTS_ONLY === undefined) {
    for (let draw = 0; draw < DRAWS && missing(played).length > 0; draw++) {
      await play(Array.from({ length: executions }, (_, number) => draw * executions + number));
    }
    expect(missing(played)).toEqual([]);
  } else await play([Number(FAULTS_ONLY)]);
  if (isLong) process.stdout.write(summaryOf(played));
  expect(violationsIn(played)).toEqual([]);
  await until('no process of a function', () => workers().length === 0);
  expect(examples.filter(({ schedule }) => /^\(\d \d \| \d \d\) 4$/.test(schedule))).toHaveLength(2);
}, 86_400_000);
