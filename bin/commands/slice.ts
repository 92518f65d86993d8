/** `sliced-inference slice MODEL --out DIR`: writes the slices and `plan.json`. */
import { Command } from 'commander';
import { compileEstimated } from '../../lib/compile/compile';
import type { PlanEstimates } from '../../lib/compile/plan-estimates';
import { writeSlices } from '../../lib/emit/write';
import { SlicedInferenceError, printable, quoted } from '../../lib/errors';
import { NOT_PACKED, dataSizesNote, longCallNote, longRunNote } from '../../lib/plan/notes';
import { remoteKey, type SlicePlan } from '../../lib/plan/file/plan';
import type { Slicer } from '../../lib/plan/slicers';
import { quantityText } from '../plan/figures';
import { formatBytes, formatTable, formatType } from '../terminal/format';
import { laidOut } from '../terminal/help';
import { quotedForShell } from '../terminal/literals';
import { inexactNote, rewrittenNote } from '../../lib/plan/int8-weights';
import { clearProgress, showProgress } from '../terminal/progress';
import { inputsOption } from './search-options';
import * as slicing from './slicing-options';
import { noteUnfinished } from '../process/unfinished';
import { print, printJson } from '../terminal/print';

interface Options extends slicing.SlicingOptions {
  readonly out: string;
  readonly forBucket?: boolean;
  readonly json?: boolean;
}

const HELP = `
Writes plan.json and, for each slice, slice-NN.onnx and slice-NN.weights: ONNX models with external data, most
of which other tools load too.

With --for-bucket, the files have the names that SlicedModel.fromBucket expects; see docs/large-models.md.

Examples:
  $ sliced-inference slice model.onnx --slices 3 --out slices
  $ sliced-inference slice v2.onnx --slicing-plan slices/plan.json --out v2
  $ sliced-inference slice model.onnx --out slices --for-bucket`;

export function sliceCommand(): Command {
  const command = new Command('slice')
    .description('cut a model; write plan.json and the slices')
    .argument('<model>', 'path of an ONNX model')
    .addHelpText('after', laidOut(HELP));
  slicing
    .addSlicingOptions(command)
    .addOption(inputsOption())
    .optionsGroup('Output:')
    .requiredOption('--out <folder>', 'folder to write to; an earlier plan in it is replaced')
    .option('--for-bucket', 'name the files by their SHA-256, to upload them for SlicedModel.fromBucket')
    .option('--json', 'print the plan as JSON');
  return command.action((model: string, options: Options) => {
    const slicer = slicing.slicerFor(options);
    checkOut(options.out);
    showProgress(`reading ${model}`);
    const { plan, estimates } = writtenSlices(model, slicer, options);
    clearProgress();
    if (options.json) printJson(plan);
    else print([describePlan(plan, options), ...notesOf(plan, estimates, options)].join(''));
  });
}

function writtenSlices(path: string, slicer: Slicer, options: Options) {
  const { compiled, estimates } = compileEstimated(path, slicer, slicing.analyzeOptions(options));
  const plan = writeSlices(compiled, options.out, {
    ...(options.forBucket && { nameOf: (file) => remoteKey('', file) }),
    onStart: noteUnfinished,
    onFile: ({ file, bytes }) => {
      showProgress(`writing ${file} (${formatBytes(bytes)})`);
    },
  });
  return { plan, estimates };
}

function checkOut(out: string): void {
  if (out !== '' && !/^s3:/i.test(out)) return;
  throw new SlicedInferenceError(
    '--out must name a folder',
    quoted(out),
    out === ''
      ? 'pass the path of a folder'
      : 'write to a folder with --for-bucket, and upload it with `aws s3 sync`',
  );
}

/** What the slices have that the model has not, and what they compute wrongly. */
function notesOf(
  { int8Weights, prepacking, dataSizes, slices }: SlicePlan,
  { cold }: PlanEstimates,
  { architecture, stateMachine }: Options,
): string[] {
  const inexact = int8Weights && architecture !== 'arm64' ? inexactNote(int8Weights) : undefined;
  const notes = [
    dataSizes && `warning: ${dataSizesNote(dataSizes)}`,
    int8Weights && rewrittenNote(int8Weights),
    prepacking === false ? NOT_PACKED : undefined,
    ...[
      inexact,
      longCallNote(slices.map(({ coldSeconds }) => coldSeconds)),
      longRunNote(cold.ends.slow.latency.p95 / 1000, stateMachine),
    ].map((warning) => warning && `warning: ${warning}`),
  ];
  return notes.flatMap((note) => (note === undefined ? [] : [`${printable(note, 1000)}\n`]));
}

function describePlan(plan: SlicePlan, { out, forBucket }: Options): string {
  const rows = plan.slices.map((slice, index) => {
    const nodes = slice.nodes.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const reads = slice.inputs.map((input) => `${input.name} ${formatType(input)}`).join(', ');
    return [index, nodes, formatBytes(slice.weightBytes), quantityText('megabytes', slice.memoryMb), reads];
  });
  const next = forBucket
    ? `next: aws s3 sync ${quotedForShell(out)} s3://BUCKET/PREFIX --size-only --exclude plan.json\n`
    : '';
  return `${formatTable(['slice', 'nodes', 'weights', 'memory', 'reads'], rows)}\nwritten to ${out}\n${next}`;
}
