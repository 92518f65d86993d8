/** `sliced-inference verify MODEL`: are the chained slices identical to the whole model? */
import { Command, Option } from 'commander';
import { formatTable, formatType } from './format';
import { clearProgress, showProgress } from './progress';
import type { SlicingOptions } from './slicing-options';
import { addSlicingOptions, slicerFor, wholeNumber } from './slicing-options';
import { describeInputs } from './verify/describe-inputs';
import type { Verification } from './verify/run-both';
import { verify } from './verify/run-both';

interface Options extends SlicingOptions {
  readonly inputs?: string;
  readonly seed: number;
  readonly json?: boolean;
}

/** Exit code for "no, they differ". */
const DIFFERENT = 1;

const HELP = `
Runs both in ONNX Runtime without graph optimisation, as the functions do. Without --inputs it makes inputs up: floats
from 0 to 1, small integers, short words. Sizes that the model leaves open are guessed unless --dimension gives them.
Exits with 0 when every bit of every output is the same, with 1 when not, with 2 when either does not run.

Examples:
  $ sliced-inference verify model.onnx --slices 3
  $ sliced-inference verify model.onnx --max-slice-size 64MB --inputs x.npz
  $ sliced-inference verify model.onnx --slices 3 --inputs test_data_set_0 --json`;

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('run the whole model and the chained slices, and compare every output by its bits')
    .argument('<model>', 'path of an ONNX model')
    .option(
      '--inputs <file>',
      '.safetensors, .npz, .npy, .json or a folder of input_N.pb; made-up inputs without it',
    )
    .addOption(new Option('--seed <n>', 'seed of inputs that are made up').argParser(wholeNumber).default(0))
    .option('--json', 'print JSON')
    .addHelpText('after', HELP);
  return addSlicingOptions(command).action(async (model: string, options: Options) => {
    const { inputs, seed, dimension: dimensions } = options;
    const result = await verify(model, {
      slicer: slicerFor(options),
      dimensions,
      seed,
      onStep: showProgress,
      ...(inputs !== undefined && { inputs }),
    });
    clearProgress();
    process.stdout.write(
      options.json ? `${JSON.stringify(result, undefined, 2)}\n` : describe(result, inputs),
    );
    process.exitCode = result.identical ? 0 : DIFFERENT;
  });
}

function describe(
  { identical, slices, threads, inputs, outputs }: Verification,
  file = 'made-up inputs',
): string {
  const rows = outputs.map((output) => [
    output.name,
    formatType(output),
    output.identical ? 'identical' : 'different',
    output.maxAbsDiff ?? 'none',
  ]);
  const heads = describeInputs(new Map(inputs.map((input) => [input.name, input])));
  const what = slices === 1 ? 'the one slice and the whole model' : `${slices} slices and the whole model`;
  return [
    `${what} are ${identical ? 'identical' : 'different'}`,
    `on ${inputs.length === 0 ? 'no inputs' : `${file}: ${heads}`}, with ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    formatTable(['output', 'type', 'bits', 'max abs diff'], rows),
    '',
  ].join('\n');
}
