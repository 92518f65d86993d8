/** `sliced-inference calibrate PLAN`: compares calls of a deployed pipeline with its plan, and estimates constants from the calls. */
import { Command } from 'commander';
import type { Pairs } from '../../lib/cost/constants/constant';
import { parseConstants, printConstants } from '../../lib/cost/constants/constants-file';
import { ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { SlicedInferenceError } from '../../lib/errors';
import { largestOf, median } from '../../lib/extremes';
import { estimatesOf } from '../calibrate/estimates';
import { PHASES, measuredCalls, plannedPhases } from '../calibrate/phases';
import { plannedPipeline } from '../calibrate/planned-calls';
import { readLogs } from '../calibrate/read-logs';
import { checkPlace, writeNamedFile } from '../outputs/named-file';
import { NONE } from '../plan/figures';
import { formatTable } from '../terminal/format';
import { laidOut } from '../terminal/help';
import { print } from '../terminal/print';

interface CalibrateOptions {
  readonly logs?: readonly string[];
  readonly out?: string;
}

const HELP = `
Prints by slice what the plan predicts of each phase and what warm and cold calls took, as medians, and estimates constants from
the calls. With fewer than five calls, a constant keeps its value. --out writes the estimates for --environment of plan.

Examples:
  $ sliced-inference calibrate slices/plan.json --logs *.logs.json --out e.json`;

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description('compare calls of a deployed pipeline with its plan, and estimate constants from the calls')
    .argument('<plan>', 'plan.json of the deployed slices, beside its model or in a folder beside it')
    .option('--logs <files...>', 'what `aws logs filter-log-events` prints, or the lines alone')
    .option('--out <file>', 'file for the constants')
    .addHelpText('after', laidOut(HELP))
    .action(calibrate);
}

async function calibrate(plan: string, { logs = [], out }: CalibrateOptions): Promise<void> {
  if (out !== undefined) checkPlace(out, '--out');
  const lines = readLogs(logs);
  if (lines.length === 0) {
    const got = logs.length === 0 ? 'no --logs' : 'none';
    const advice = 'pass --logs with the lines of runs; docs/costs.md has the commands that fetch them';
    throw new SlicedInferenceError('calibrate must get lines with the message `slice ran`', got, advice);
  }
  const pipeline = plannedPipeline(lines, plan);
  const calls = measuredCalls(pipeline, lines);
  const phases = plannedPhases(pipeline, pipeline.options.environment).flatMap((planned, slice) =>
    PHASES.map((phase) => {
      const own = calls.flatMap((call) => (call.slice === slice ? (call.phases[phase] ?? []) : []));
      return [slice, phase, own.length, planned[phase].toFixed(1), median(own).toFixed(1)] as const;
    }).filter(([, , count]) => count > 0),
  );
  const last = new Date(largestOf(calls.map(({ startedAt }) => startedAt)));
  const { table, estimates } = estimatesOf(pipeline, calls, last.toISOString().slice(0, 7));
  const constants = estimates.map(({ name, before, value, evidence }) => {
    return [name, short(before), value === undefined ? NONE : short(value), evidence];
  });
  print(`${formatTable(['slice', 'phase', 'calls', 'predicted ms', 'actual ms'], phases)}\n\n`);
  print(`${formatTable(['constant', 'before', 'calibrated', 'evidence'], constants)}\n`);
  if (out === undefined) return;
  const text = printConstants('environment', table);
  // What this command writes, the others can read.
  parseConstants(text, out, 'environment', ENVIRONMENT);
  await writeNamedFile(out, '--out', text);
  print(`\nwritten to ${out}\n`);
}

function short(value: number | Pairs): string {
  if (typeof value === 'number') return `${value}`;
  return value.map(([percent, ms]) => `p${percent} ${ms}`).join(', ');
}
