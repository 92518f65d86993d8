/** `sliced-inference slice MODEL --out DIR|s3://BUCKET/PREFIX`: writes the slices and `plan.json`. */
import { Command } from 'commander';
import { compileEstimated } from '../../lib/compile/compile';
import type { PlanEstimates } from '../../lib/compile/plan-estimates';
import type { StagedModel } from '../../lib/compile/stage';
import { writeSlices } from '../../lib/emit/write';
import { SlicedInferenceError, printable } from '../../lib/errors';
import { NOT_PACKED, dataSizesNote, longCallNote, longRunNote } from '../../lib/plan/notes';
import type { SlicePlan } from '../../lib/plan/file/plan';
import type { Slicer } from '../../lib/plan/slicers';
import { checkPlace } from '../outputs/named-file';
import { quantityText } from '../plan/figures';
import { formatBytes, formatTable, formatType } from '../terminal/format';
import { laidOut } from '../terminal/help';
import { inexactNote, rewrittenNote } from '../../lib/plan/int8-weights';
import { clearProgress, showProgress } from '../terminal/progress';
import { inputsOption } from './search-options';
import * as slicing from './slicing-options';
import { noteUnfinished } from '../process/unfinished';
import { print, printJson } from '../terminal/print';

interface Options extends slicing.SlicingOptions {
  readonly out: string;
  readonly plan?: string;
  readonly kmsKey?: string;
  readonly json?: boolean;
}

const S3_SCHEME = 's3://';

const HELP = `
Writes plan.json and, for each slice, slice-NN.onnx and slice-NN.weights: ONNX models with external data, most
of which other tools load too.

With --out s3://BUCKET/PREFIX, each file is uploaded under its SHA-256, and plan.json last. If an upload stops, run the same command
again to send the others. SlicedModel.fromBucket needs only the file of --plan. Credentials and region are those of the AWS CLI; see
docs/large-models.md.

Examples:
  $ sliced-inference slice model.onnx --slices 3 --out slices
  $ sliced-inference slice v2.onnx --slicing-plan slices/plan.json --out v2
  $ sliced-inference slice model.onnx --out s3://my-models/ocr --plan plan.json`;

export function sliceCommand(): Command {
  const command = new Command('slice')
    .description('cut a model; write plan.json and the slices')
    .argument('<model>', 'path of an ONNX model')
    .addHelpText('after', laidOut(HELP));
  slicing
    .addSlicingOptions(command)
    .addOption(inputsOption())
    .optionsGroup('Output:')
    .requiredOption(
      '--out <place>',
      'folder to write to (an earlier plan in it is replaced), or s3://BUCKET/PREFIX to upload to',
    )
    .option('--plan <file>', 'with s3://: also write plan.json to this file')
    .option('--kms-key <id>', "with s3://: id, alias or ARN of a KMS key (default: the bucket's encryption)")
    .option('--json', 'print the plan as JSON');
  return command.action(async (model: string, options: Options) => {
    const slicer = slicing.slicerFor(options);
    checkOut(options);
    if (options.plan !== undefined) checkPlace(options.plan, '--plan');
    showProgress(`reading ${model}`);
    const { plan, estimates } = options.out.startsWith(S3_SCHEME)
      ? await uploadSlices(model, slicer, options)
      : writtenSlices(model, slicer, options);
    clearProgress();
    if (options.json) printJson(plan);
    else print([describePlan(plan, options.out), ...notesOf(plan, estimates, options)].join(''));
  });
}

type Sliced = Pick<StagedModel, 'plan' | 'estimates'>;

function writtenSlices(path: string, slicer: Slicer, options: Options): Sliced {
  const { compiled, estimates } = compileEstimated(path, slicer, slicing.analyzeOptions(options));
  const plan = writeSlices(compiled, options.out, {
    onStart: noteUnfinished,
    onFile: ({ file, bytes }) => {
      showProgress(`writing ${file} (${formatBytes(bytes)})`);
    },
  });
  return { plan, estimates };
}

/** Loads the AWS SDK only for an upload. */
async function uploadSlices(model: string, slicer: Slicer, options: Options): Promise<Sliced> {
  const { sliceIntoBucket } = await import('./slice-into-bucket.js');
  return sliceIntoBucket(model, slicer, slicing.analyzeOptions(options), options);
}

function checkOut({ out, plan, kmsKey }: Options): void {
  if (out.startsWith(S3_SCHEME)) return;
  if (out === '' || /^s3:/i.test(out)) {
    throw new SlicedInferenceError(
      '--out must name a folder or s3://BUCKET/PREFIX',
      `'${out}'`,
      'pass the path of a folder, or s3:// in lower case with two slashes',
    );
  }
  const flag = plan !== undefined ? '--plan' : kmsKey !== undefined ? '--kms-key' : undefined;
  if (flag === undefined) return;
  throw new SlicedInferenceError(
    `${flag} needs --out s3://BUCKET/PREFIX`,
    `--out ${out}`,
    `upload to a bucket or leave ${flag} out`,
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

function describePlan(plan: SlicePlan, place: string): string {
  const rows = plan.slices.map((slice, index) => {
    const nodes = slice.nodes.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const reads = slice.inputs.map((input) => `${input.name} ${formatType(input)}`).join(', ');
    return [index, nodes, formatBytes(slice.weightBytes), quantityText('megabytes', slice.memoryMb), reads];
  });
  return `${formatTable(['slice', 'nodes', 'weights', 'memory', 'reads'], rows)}\nwritten to ${place}\n`;
}
