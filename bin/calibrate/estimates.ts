/** Estimates constants of the model of cost from the phases of calls. */
import { type Constant, type ConstantTable, type Pairs, UNITS } from '../../lib/cost/constants/constant';
import { type Environment, ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { atPercent } from '../../lib/cost/latency/latency-distribution';
import { largestOf, quantile } from '../../lib/extremes';
import { type MeasuredCall, type Phases, plannedPhases } from './phases';
import type { PlannedPipeline } from './planned-calls';

/** A constant, the phase that grows with it, and the calls that it is estimated from. */
type Rule = readonly [string, string, phase: keyof Phases, tells: (call: MeasuredCall) => boolean];

const LEAST_CALLS = 5;
const PERCENTS = [5, 50, 90, 95];
/** The share of samples below zero above which the plan predicts too much for the rest of the phase. */
const MOST_BELOW_ZERO = 0.05;
const LONGEST_MS = UNITS['ms by percent'].pairs[1][1];
/** Larger tensors tell of the bandwidth and not of waits, and larger files of the download and not of the session. */
const SMALL_BYTES = 4e6;
/** The share of packed weights below which a load hardly depends on prepacking. */
const UNPACKED = 0.1;
/** In milliseconds: less computing is lost in the noise. */
const LEAST_COMPUTING = 5;

/** Each estimate uses those before it, and has no value if its calls are too few or too short. The table has the values. */
export function estimatesOf(pipeline: PlannedPipeline, calls: readonly MeasuredCall[], date: string) {
  let { environment } = pipeline.options;
  const table: Record<string, Record<string, Constant>> = {};
  const estimates = rulesOf(pipeline, calls).map(([group, name, phase, tells]) => {
    const { value: before, unit, spread } = (ENVIRONMENT as ConstantTable)[group][name];
    const withValue = (own: number | Pairs): Environment => {
      const groups = environment as unknown as Record<string, object>;
      return { ...environment, [group]: { ...groups[group], [name]: own } };
    };
    const known = typeof before === 'number' ? before : atPercent(before, 50);
    const [planned, more, most] = [0, 1, 2].map((by) =>
      plannedPhases(pipeline, withValue(typeof before === 'number' ? before + by : [[50, known + by]])),
    );
    // What the constant is if it alone explains how long the phase took, which grows linearly with it.
    const samples = calls.filter(tells).flatMap(({ slice, phases: { [phase]: actual } }) => {
      const slope = more[slice][phase] - planned[slice][phase];
      const next = most[slice][phase] - more[slice][phase];
      // A phase tells nothing if it does not depend on the constant, or only on larger ones, as a download that connections limit.
      if (actual === undefined || slope <= 0 || next > 1.01 * slope) return [];
      return [known + (actual - planned[slice][phase]) / slope];
    });
    const at = (percent: number): number => rounded(Math.max(0, quantile(samples, percent / 100)));
    const [low, high] = [5, 95].map((percent) => (at(percent) / at(50)).toFixed(2));
    const belowZero = samples.filter((sample) => sample <= 0);
    const isTooShort = belowZero.length > MOST_BELOW_ZERO * samples.length;
    // The plan predicts more for the rest of the phase than it took.
    const quality = isTooShort ? 'some too short' : `${low} to ${high} of the median`;
    const evidence = samples.length === 0 ? '0 calls' : `${samples.length} calls, ${quality}`;
    const measured = PERCENTS.map((percent) => [percent, at(percent)] as const);
    const estimate = typeof before === 'number' ? at(50) : withTail(measured, before);
    const value = samples.length < LEAST_CALLS || isTooShort ? undefined : estimate;
    if (value !== undefined) {
      environment = withValue(value);
      const source = `sliced-inference calibrate: ${evidence}`;
      // Percentiles have what differs between calls.
      const own = typeof value === 'number' && spread && ([Number(low), Math.min(10, Number(high))] as const);
      const constant = { value, unit, known: 'replaced', ...(own && { spread: own }), source, date } as const;
      table[group] = { ...table[group], [name]: constant };
    }
    return { name: `${group}.${name}`, before, value, evidence };
  });
  return { table, estimates };
}

/** Few calls tell nothing of the longest delays, on which timeouts rest: the published ones grow with the median. */
function withTail(measured: Pairs, published: Pairs): Pairs {
  const [percent, least] = measured[measured.length - 1];
  const factor = atPercent(measured, 50) / atPercent(published, 50);
  const longer = (ms: number): number => Math.min(LONGEST_MS, Math.max(least, rounded(ms * factor)));
  const tail = published.filter(([own]) => own > percent).map(([own, ms]) => [own, longer(ms)] as const);
  return [...measured, ...tail];
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function rulesOf(pipeline: PlannedPipeline, calls: readonly MeasuredCall[]): Rule[] {
  const { options, demands, steps } = pipeline;
  const isLarge = ({ weightBytes }: MeasuredCall): boolean => weightBytes > SMALL_BYTES;
  const isPacked = ({ slice, weightBytes }: MeasuredCall): boolean =>
    options.prepacking && demands[slice].packedBytes > UNPACKED * weightBytes;
  // If some large files have no packed weights, they tell the download, and the others prepacking.
  const isApart = calls.some((call) => call.cold && isLarge(call) && !isPacked(call));
  const runs = plannedPhases(pipeline, options.environment).map(({ run }) => run);
  const longest = Math.max(LEAST_COMPUTING, largestOf(runs) / 2);
  const isExpress = options.stateMachineType === 'express';
  // With tensors in its payload, a Standard transition takes longer.
  const isShort = ({ slice }: MeasuredCall): boolean => isExpress || !steps[slice].inState?.gets;
  const gets = ({ s3Gets, expressGets }: MeasuredCall): number => s3Gets + expressGets;
  const isWait = (call: MeasuredCall): boolean => call.bytesRead + call.bytesWritten <= SMALL_BYTES;
  const isRead = (call: MeasuredCall): boolean => isWait(call) && call.s3Gets === 1 && gets(call) === 1;
  const isWrite = (call: MeasuredCall): boolean => isWait(call) && call.s3Puts === 1;
  return [
    // The first read of a call opens a connection; so does the write of a call that reads nothing from S3.
    ['s3', 'standardFirstGetMs', 'read', isRead],
    ['s3', 'standardGet', 'laterRead', isRead],
    ['s3', 'standardPut', 'write', (call) => isWrite(call) && gets(call) > 0],
    ['s3', 'standardFirstPutMs', 'write', (call) => isWrite(call) && gets(call) === 0],
    ['stepFunctions', isExpress ? 'express' : 'standard1KiB', 'transition', isShort],
    ['lambda', 'runtimeLoadMs', 'init', () => true],
    ['lambda', 'placementMs', 'placement', () => true],
    ['network', 'cpu', 'load', (call) => isLarge(call) && !(isApart && isPacked(call))],
    ['handler', 'prepackCpu', 'load', (call) => isLarge(call) && isApart && isPacked(call)],
    ['processor', 'computing', 'run', ({ slice }) => runs[slice] >= longest],
  ];
}
