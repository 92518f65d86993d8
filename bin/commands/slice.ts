/** `sliced-inference slice MODEL --out DIR|s3://BUCKET/PREFIX`: writes the slices and `plan.json`. */
import { Command, Option } from 'commander';
import { compile } from '../../lib/compile/compile';
import { writeSlices } from '../../lib/emit/write';
import { SlicedInferenceError } from '../../lib/errors';
import type { SlicePlan } from '../../lib/plan/plan';
import type { Slicer } from '../../lib/plan/search/slicers';
import { formatBytes, formatTable, formatType } from '../terminal/format';
import { clearProgress, showProgress } from '../terminal/progress';
import type { SlicingOptions } from './slicing-options';
import { addSlicingOptions, analyzeOptions, slicerFor } from './slicing-options';
import { noteUnfinished } from '../process/unfinished';

interface Options extends SlicingOptions {
  readonly out: string;
  readonly plan?: string;
  readonly kmsKey?: string;
  readonly json?: boolean;
}

const S3_SCHEME = 's3://';

const HELP = `
Writes plan.json and, for each slice, slice-NN.onnx and slice-NN.weights: ONNX models with external data that any
ONNX runtime loads. Without a flag that says how to cut, makes the fewest slices that fit functions of 3008 MB.

Into s3://BUCKET/PREFIX, files are uploaded under their SHA-256, plan.json last. What is there already is not sent
again, and the same command goes on where an upload stopped. With --plan, plan.json is written to a file of this
machine as well: it is all that SlicedModel.fromBucket needs when a stack is synthesized. Credentials and region come
from the environment and the configuration that the AWS command line uses; see docs/large-models.md.

Examples:
  $ sliced-inference slice model.onnx --slices 3 --out slices
  $ sliced-inference slice model.onnx --max-slice-size 64MB --dimension batch=8 --out slices
  $ sliced-inference slice model.onnx --at-tensors conv5_out,pool5_out --out slices
  $ sliced-inference slice model-v2.onnx --slicing-plan slices/plan.json --out slices-v2
  $ sliced-inference slice model.onnx --slices 3 --optimize extended --out slices
  $ sliced-inference slice model.onnx --slices 8 --out s3://my-models/ocr --plan ocr-plan.json`;

export function sliceCommand(): Command {
  const command = new Command('slice')
    .description('cut a model and write plan.json and the slice files')
    .argument('<model>', 'path of an ONNX model')
    .requiredOption(
      '--out <place>',
      'folder to write, where an earlier plan is replaced, or s3://BUCKET/PREFIX to upload to',
    )
    .option('--plan <file>', 'with s3://: also write plan.json to this file')
    .addOption(
      new Option(
        '--kms-key <id>',
        "with s3://: id, alias or ARN of a KMS key, in place of the bucket's default",
      ),
    )
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', HELP);
  return addSlicingOptions(command).action(async (model: string, options: Options) => {
    const slicer = slicerFor(options);
    checkPlace(options);
    showProgress(`reading ${model}`);
    const plan = options.out.startsWith(S3_SCHEME)
      ? await uploadSlices(model, slicer, options)
      : writeSlices(compile(model, slicer, analyzeOptions(options)), options.out, {
          onStart: noteUnfinished,
          onFile: ({ file, bytes }) => {
            showProgress(`writing ${file} (${formatBytes(bytes)})`);
          },
        });
    clearProgress();
    process.stdout.write(
      options.json ? `${JSON.stringify(plan, undefined, 2)}\n` : describePlan(plan, options.out),
    );
  });
}

/** The AWS SDK is loaded by those who need it alone, and says nothing about the Node.js versions of its future. */
async function uploadSlices(model: string, slicer: Slicer, options: Options): Promise<SlicePlan> {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { sliceIntoBucket } = await import('./slice-into-bucket.js');
  return sliceIntoBucket(model, slicer, analyzeOptions(options), options);
}

function checkPlace({ out, plan, kmsKey }: Options): void {
  if (out === '') {
    throw new SlicedInferenceError('--out must name a folder or s3://BUCKET/PREFIX', "''", 'give its path');
  }
  if (out.startsWith(S3_SCHEME)) return;
  if (/^s3:/i.test(out)) {
    throw new SlicedInferenceError(
      '--out must name a folder or s3://BUCKET/PREFIX',
      `'${out}'`,
      'write s3:// in small letters with two slashes, or ./ before the name of a folder',
    );
  }
  const flag = plan !== undefined ? '--plan' : kmsKey !== undefined ? '--kms-key' : undefined;
  if (flag === undefined) return;
  throw new SlicedInferenceError(
    `${flag} must go with --out s3://BUCKET/PREFIX`,
    `--out ${out}`,
    'leave it out',
  );
}

function describePlan(plan: SlicePlan, place: string): string {
  const rows = plan.slices.map((slice, index) => {
    const nodes = slice.nodes.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const reads = slice.inputs.map((input) => `${input.name} ${formatType(input)}`).join(', ');
    return [index, nodes, formatBytes(slice.weightBytes), `${slice.memoryMb}MB`, reads];
  });
  return `${formatTable(['slice', 'nodes', 'weights', 'memory', 'reads'], rows)}\nwritten to ${place}\n`;
}
