/**
 * Measures a pipeline with consolidation: its first run against that of the slices alone, and its warm runs against those of one
 * function with the whole model behind the same state machine. The prices and the times on AWS are modelled.
 */
import type { ExecutionOutput } from '../../client';
import { LONGEST_CALL_MS } from '../../lambda/whole-model';
import { analyzeModel } from '../../lib/compile/analyze';
import { plannedRuns } from '../../lib/plan/pricing/plan-runs';
import { bestCut } from '../../lib/plan/best-cut';
import type { ConsolidationMode } from '../../lib/plan/pricing/price';
import { count } from '../../lib/plan/slicers';
import type { Simulation } from '../../local';
import type { Deployment, Run } from '../deployment';
import { formatSpread, formatTable, spread } from '../measure';
import type { Subjects } from './subjects';

/** Warm runs of each pipeline in a round. */
const WARM_RUNS = 5;

interface Samples {
  readonly firstSlices: number[];
  /** While another loader holds the claim, so that no load takes this machine's processors from the slices. */
  readonly firstAlone: number[];
  readonly first: number[];
  readonly warmWhole: number[];
  readonly warm: number[];
  /** Milliseconds of the asynchronous load. */
  readonly loads: number[];
  /** Digests of all results. */
  readonly results: Set<string>;
}

export async function benchConsolidation(
  subjects: Subjects,
  simulation: Simulation,
  rounds: number,
): Promise<string> {
  const samples = await measure(subjects, simulation, rounds);
  const { firstSlices, firstAlone, first, warmWhole, warm, loads, results } = samples;
  const seconds = (ms: readonly number[]): string => formatSpread(spread(ms.map((value) => value / 1000)), 2);
  const ratios = (ms: readonly number[], to: readonly number[]): string =>
    formatSpread(spread(ms.map((value, at) => value / to[at])), 2);
  const table = formatTable(
    ['run', 's', 'ratio', 'of'],
    [
      ['first, slices alone', seconds(firstSlices), '', ''],
      ['first, with consolidation', seconds(first), ratios(first, firstSlices), 'slices alone'],
      ['the same, no load beside it', seconds(firstAlone), ratios(firstAlone, firstSlices), 'slices alone'],
      ['load beside it', seconds(loads), '', ''],
      ['warm, one function', seconds(warmWhole), '', ''],
      ['warm, with consolidation', seconds(warm), ratios(warm, warmWhole), 'one function'],
    ],
  );
  const identical = results.size === 1 ? 'identical' : `of ${results.size} kinds`;
  return [table, `results of all runs by bits: ${identical}`, modelled(subjects)].join('\n');
}

async function measure(subjects: Subjects, simulation: Simulation, rounds: number): Promise<Samples> {
  const deployments: Deployment[] = [];
  const samples: Samples = {
    ...{ firstSlices: [], firstAlone: [], first: [], warmWhole: [], warm: [], loads: [] },
    results: new Set(),
  };
  const claim = (deployment: Deployment, ms: number): Promise<void> =>
    holdClaim(deployment, subjects.loaderKey, ms);
  const run = async (deployment: Deployment, servedBy: ExecutionOutput['servedBy']): Promise<number> => {
    const done = await deployment.run();
    check(deployment, done, servedBy);
    samples.results.add(await deployment.digestOf(done));
    return done.ms;
  };
  try {
    for (const name of ['sliced', 'consolidated', 'whole'] as const)
      deployments.push(await subjects.start(name, simulation));
    const [sliced, consolidated, whole] = deployments;
    // Do not count the first run: it compiles the code of the simulation, which all deployments share.
    await sliced.run();
    // Makes the first load, whose claim must be known.
    await consolidated.run();
    await consolidated.cloud.asynchronousCalls();
    for (let round = 0; round < rounds; round++) {
      for (const deployment of deployments) await deployment.makeCold();
      subjects.claimMemory();
      samples.firstSlices.push(await run(sliced, undefined));
      await sliced.makeCold();
      subjects.claimMemory();
      await claim(consolidated, LONGEST_CALL_MS - 1_000);
      samples.firstAlone.push(await run(consolidated, 'slices'));
      await consolidated.cloud.asynchronousCalls();
      await claim(consolidated, 0);
      await consolidated.makeCold();
      subjects.claimMemory();
      const started = performance.now();
      samples.first.push(await run(consolidated, 'slices'));
      await consolidated.cloud.asynchronousCalls();
      samples.loads.push(performance.now() - started);
      await run(whole, undefined);
      // The first run after a load still reads pages.
      await run(consolidated, 'whole');
      for (let at = 0; at < WARM_RUNS; at++) {
        samples.warmWhole.push(await run(whole, undefined));
        samples.warm.push(await run(consolidated, 'whole'));
      }
    }
  } finally {
    for (const deployment of deployments) await deployment.close();
  }
  return samples;
}

/** Lets another loader hold the claim for so long. */
function holdClaim({ cloud }: Deployment, key: string, ms: number): Promise<void> {
  return cloud.putObject(key, Buffer.from(JSON.stringify({ loader: 'bench', until: Date.now() + ms })));
}

/** @throws if the run went another way than the one that is measured */
function check(deployment: Deployment, { output }: Run, expected: ExecutionOutput['servedBy']): void {
  if (output.servedBy !== expected)
    throw new Error(`a run of '${deployment.name}' must be served by ${expected}, got ${output.servedBy}`);
}

/** What the model of cost says of the same pipelines on AWS, where each function has processors of its own. */
function modelled({ model, plan }: Subjects): string {
  const analyzed = analyzeModel(model.file);
  const slicer = count(plan.slices.length);
  const cutFor = (mode: ConsolidationMode) => bestCut(analyzed.dataflow, analyzed.cuts, slicer, mode);
  const cut = cutFor('always');
  if (cut.whole === undefined) throw new Error('one slice cannot be consolidated');
  const {
    slices: { outcomes: slices },
    plan: consolidated,
  } = plannedRuns(analyzed, cut);
  const { plan: alone } = plannedRuns(analyzed, cut.whole.cut);
  const automatic = cutFor('automatic').whole !== undefined;
  const ratio = (value: number, to: number): string => (value / to).toFixed(3);
  const median = ({ time }: typeof alone.warm): number => time.quantile(0.5);
  return formatTable(
    ['modelled on AWS, Express', 'ratio', 'of'],
    [
      ['price of a warm run', ratio(consolidated.warm.dollars, alone.warm.dollars), 'one function'],
      ['price of a warm run', ratio(consolidated.warm.dollars, slices.warm.dollars), 'slices alone'],
      ['price of a first run', ratio(consolidated.cold.dollars, slices.cold.dollars), 'slices alone'],
      ['time of a first run, p50', ratio(median(consolidated.cold), median(slices.cold)), 'slices alone'],
      ['time of a first run, p50', ratio(median(consolidated.cold), median(alone.cold)), 'one function'],
      ['time of a warm run, p50', ratio(median(consolidated.warm), median(slices.warm)), 'slices alone'],
    ],
  ).concat(`\nConsolidation.AUTOMATIC consolidates: ${automatic ? 'yes' : 'no'}`);
}
