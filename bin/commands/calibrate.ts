/** `sliced-inference calibrate LOG...`: turns the telemetry of real runs into constants of the model of cost. */
import * as path from 'node:path';
import { Command } from 'commander';
import { type Calibration, calibrate } from '../../lib/cost/calibration/calibrate';
import { samplesOf, type Samples } from '../../lib/cost/calibration/samples';
import type { Pairs } from '../../lib/cost/constants/constant';
import { ENVIRONMENT } from '../../lib/cost/constants/defaults';
import { parseConstants, printConstants } from '../../lib/cost/constants/constants-file';
import { SlicedInferenceError, printable, quoted } from '../../lib/errors';
import { sliceFacts } from '../calibrate/slice-facts';
import { type CollectedLogs, collectLogs, readLogs, unreadLines } from '../logs/collect';
import { gatherCommands } from '../logs/gather-commands';
import { checkPlace, writeNamedFile } from '../outputs/named-file';
import { formatTable } from '../terminal/format';
import { print, printJson } from '../terminal/print';
import { ARCHITECTURES, STATE_MACHINES, TENSOR_STORES, choice } from './search-options';

interface Options {
  readonly out?: string;
  readonly plan?: string;
  readonly profile?: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly stateMachineType: 'express' | 'standard';
  readonly tensorStore: 's3-standard' | 's3-express';
  readonly printCommands?: string | true;
  readonly json?: boolean;
}

const HELP = `
Reads the lines that the functions of slices and Lambda write into logs, and estimates constants from their medians: the init phase,
the placement, bandwidth, waits for S3, transitions, and more. A constant with fewer than 5 samples keeps its default. The
files may be those of \`aws logs filter-log-events\`, or have the lines of \`sliced-inference local --logs\`. --print-commands prints the commands that gather them.

Examples:
  $ sliced-inference calibrate --print-commands arn:aws:states:us-east-1:111122223333:stateMachine:Ocr
  $ sliced-inference calibrate calibration-*.json --plan plan.json --out environment.json
  $ sliced-inference local cdk.out --logs 2> functions.log    # runs on this machine instead of AWS
  $ sliced-inference calibrate functions.log --out environment.json`;

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description('turn the telemetry of real runs into constants of the model of cost')
    .argument('[logs...]', 'files with the logs of the functions')
    .option('--out <file>', 'file to write the constants to, for --environment')
    .option('--plan <file>', 'plan.json of the slices: their memory, and the objects that they read')
    .option('--profile <file>', 'profile of the model: with --plan, it tells the speed of the processors')
    .addOption(
      choice('--architecture <name>', 'processors of the functions', ARCHITECTURES).default('x86_64'),
    )
    .addOption(
      choice('--state-machine-type <type>', 'type of the state machine', STATE_MACHINES).default('express'),
    )
    .addOption(
      choice('--tensor-store <store>', 'where slices write tensors for later slices', TENSOR_STORES).default(
        's3-standard',
      ),
    )
    .option(
      '--print-commands [arn]',
      'print the AWS CLI commands that gather the logs of a state machine, and end',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(logs: readonly string[], options: Options): Promise<void> {
  const { out, plan, profile, printCommands, json } = options;
  if (printCommands !== undefined) {
    print(gatherCommands(printCommands === true ? undefined : checkedArn(printCommands)));
    return;
  }
  checkFlags(logs, options);
  if (out !== undefined) checkPlace(out, '--out');
  const collected = collectLogs(readLogs(logs));
  const samples = samplesOf(collected);
  const { calls } = samples;
  if (calls.length === 0)
    throw new SlicedInferenceError(
      'the logs must have lines of slice functions (`slice ran`)',
      `none in ${logs.length} files: ${unreadLines(collected)}`,
      'gather the logs again with the commands of --print-commands',
    );
  const calibration = calibrate(samples, {
    architecture: options.architecture,
    stateMachineType: options.stateMachineType,
    tensorStore: options.tensorStore,
    name: `${calls.length} calls in ${printable(path.basename(logs[0]), 60)}${logs.length > 1 ? ` and ${logs.length - 1} more files` : ''}`,
    ...(plan !== undefined && { slices: sliceFacts(plan, profile) }),
  });
  const text = printConstants('environment', calibration.table);
  // What this command writes, the others can read.
  parseConstants(text, out ?? 'environment', 'environment', ENVIRONMENT);
  if (out !== undefined) await writeNamedFile(out, '--out', text);
  if (json) printJson(report(calibration, samples, collected));
  else print(describe(calibration, samples, collected, out));
}

function checkFlags(logs: readonly string[], { out, json }: Options): void {
  if (logs.length === 0) {
    const advice = 'pass the files; --print-commands prints how to gather them';
    throw new SlicedInferenceError('calibrate must get a file of logs', 'none', advice);
  }
  if (out === undefined && !json) {
    const advice = 'pass --out environment.json, or --json';
    throw new SlicedInferenceError('--out must name a file', 'nothing', advice);
  }
}

/** The ARN is printed into a command of a shell. */
function checkedArn(arn: string): string {
  if (/^arn:[a-z-]+:states:[a-z0-9-]+:\d{12}:stateMachine:[A-Za-z0-9_-]+$/.test(arn)) return arn;
  throw new SlicedInferenceError(
    '--print-commands must get the ARN of a state machine',
    quoted(arn),
    'copy it from the outputs of the stack',
  );
}

function report(
  { constants, table }: Calibration,
  samples: Samples,
  { skipped, refused, reason }: CollectedLogs,
): object {
  return {
    calls: samples.calls.length,
    warmUps: samples.warmUps.length,
    reports: samples.reports.length,
    skippedLines: skipped,
    refusedLines: refused,
    ...(reason !== undefined && { firstRefused: reason }),
    constants,
    environment: table,
  };
}

function describe(
  { constants }: Calibration,
  samples: Samples,
  { skipped, refused, reason }: CollectedLogs,
  out: string | undefined,
): string {
  const replaced = constants.filter(({ after }) => after !== null);
  const rows = replaced.map(({ name, unit, before, after, samples: count }) => {
    return [name, short(before), short(after), unit, count];
  });
  const kept = constants.flatMap(({ name, after, missing = '' }) =>
    after === null ? [`${name}: ${missing}; kept the default`] : [],
  );
  const unused = [
    `${skipped} other lines skipped`,
    ...(refused > 0 ? [`${refused} lines refused, the first because ${printable(reason ?? '')}`] : []),
  ];
  return [
    `${samples.calls.length} calls, ${samples.warmUps.length} warm-ups, ${samples.reports.length} reports; ${unused.join('; ')}`,
    formatTable(['constant', 'default', 'calibrated', 'unit', 'samples'], rows),
    ...kept,
    ...(out === undefined ? [] : [`written to ${out}: pass it as --environment`]),
    '',
  ].join('\n');
}

/** The median stands for a distribution. */
function short(value: number | Pairs | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const middle = value.find(([percent]) => percent === 50) ?? value[0];
  return `${middle[1]} (p50)`;
}
