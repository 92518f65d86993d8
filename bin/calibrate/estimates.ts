/** Estimates constants of the model of cost from the phases of calls. */
import type { Pairs } from '../../lib/cost/constants/constant';
import type { Environment } from '../../lib/cost/constants/defaults';
import { atPercent } from '../../lib/cost/latency/latency-distribution';
import { largestOf, quantile } from '../../lib/extremes';
import { type MeasuredCall, type Phases, plannedPhases } from './phases';
import type { PlannedPipeline } from './planned-calls';

export interface Estimate {
  readonly group: string;
  readonly name: string;
  readonly before: number | Pairs;
  /** Absent if too few calls tell it. */
  readonly value?: number | Pairs;
  /** Such as `41 calls, 0.92 to 1.18 of the median`. */
  readonly evidence: string;
}

/** A constant, the phase that grows with it, and the calls that tell it. */
type Rule = readonly [string, string, phase: keyof Phases, tells: (call: MeasuredCall) => boolean];
type Groups = Readonly<Record<string, Readonly<Record<string, number | Pairs>>>>;

const LEAST_CALLS = 5;
const PERCENTS = [5, 50, 90, 95];
/** Larger tensors tell of the bandwidth and not of waits, and larger files of the download and not of the session. */
const SMALL_BYTES = 4e6;
/** The share of packed weights below which a load hardly depends on prepacking. */
const UNPACKED = 0.1;
/** In milliseconds: less computing is lost in the noise. */
const LEAST_COMPUTING = 5;

/** Each estimate uses those before it. */
export function estimatesOf(pipeline: PlannedPipeline, calls: readonly MeasuredCall[]): Estimate[] {
  let { environment } = pipeline.options;
  return rulesOf(pipeline, calls).map((rule): Estimate => {
    const [group, name] = rule;
    const before = (environment as unknown as Groups)[group][name];
    const samples = samplesOf(pipeline, environment, calls, rule);
    const at = (percent: number): number => Number(quantile(samples, percent / 100).toPrecision(4));
    const spread = [5, 95].map((percent) => (at(percent) / at(50)).toFixed(2)).join(' to ');
    const evidence = `${samples.length} calls${at(50) > 0 ? `, ${spread} of the median` : ''}`;
    if (samples.length < LEAST_CALLS) return { group, name, before, evidence };
    const percentiles = PERCENTS.map((percent) => [percent, at(percent)] as const);
    const value = typeof before === 'number' ? at(50) : percentiles;
    environment = withConstant(environment, group, name, value);
    return { group, name, before, value, evidence };
  });
}

function rulesOf(pipeline: PlannedPipeline, calls: readonly MeasuredCall[]): Rule[] {
  const { options, demands, steps } = pipeline;
  const isSmall = ({ weightBytes }: MeasuredCall): boolean => weightBytes <= SMALL_BYTES;
  const isPacked = ({ slice, weightBytes }: MeasuredCall): boolean =>
    options.prepacking && demands[slice].packedBytes > UNPACKED * weightBytes;
  // If some large files have no packed weights, they tell the download, and the others prepacking.
  const isApart = calls.some((call) => call.cold && !isSmall(call) && !isPacked(call));
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
    ['handler', 'sessionCpuMs', 'load', isSmall],
    ['network', 'cpu', 'load', (call) => !isSmall(call) && !(isApart && isPacked(call))],
    ['handler', 'prepackCpu', 'load', (call) => !isSmall(call) && isApart && isPacked(call)],
    ['processor', 'computing', 'run', ({ slice }) => runs[slice] >= longest],
  ];
}

/** By call: what the constant is if it alone explains how long the phase took, which grows linearly with it. */
function samplesOf(
  pipeline: PlannedPipeline,
  environment: Environment,
  calls: readonly MeasuredCall[],
  [group, name, phase, tells]: Rule,
): number[] {
  const before = (environment as unknown as Groups)[group][name];
  const known = typeof before === 'number' ? before : atPercent(before, 50);
  const [planned, more, most] = [0, 1, 2].map((by) => {
    const value = typeof before === 'number' ? before + by : ([[50, known + by]] as const);
    return plannedPhases(pipeline, withConstant(environment, group, name, value));
  });
  return calls.filter(tells).flatMap(({ slice, phases: { [phase]: actual } }) => {
    const slope = more[slice][phase] - planned[slice][phase];
    const next = most[slice][phase] - more[slice][phase];
    // A phase tells nothing if it does not depend on the constant, or only on larger ones, as a download that connections limit.
    if (actual === undefined || slope <= 0 || next > 1.01 * slope) return [];
    return [Math.max(0, known + (actual - planned[slice][phase]) / slope)];
  });
}

function withConstant(from: Environment, group: string, name: string, value: number | Pairs): Environment {
  return { ...from, [group]: { ...(from as unknown as Groups)[group], [name]: value } };
}
