/** `sliced-inference verify MODEL`: are the chained slices identical to the whole model? */
import { Command, Option } from 'commander';
import { formatTable, formatType } from './format';
import { clearProgress, showProgress } from './progress';
import type { SlicingOptions } from './slicing-options';
import { addSlicingOptions, slicerFor, wholeNumber } from './slicing-options';
import type { Verification } from './verify/verify';
import { verify } from './verify/verify';

interface Options extends SlicingOptions {
  readonly inputs?: string;
  readonly seed: number;
  readonly json?: boolean;
}

/** Exit code for "no, they differ". */
const DIFFERENT = 1;

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('run the whole model and the chained slices, and compare every output by its bits')
    .argument('<model>', 'path of an ONNX model')
    .option(
      '--inputs <file>',
      '.safetensors, .npz, .npy, .json or a folder of input_N.pb; seeded inputs without it',
    )
    .addOption(new Option('--seed <n>', 'seed of inputs that are made up').argParser(wholeNumber).default(0))
    .option('--json', 'print JSON');
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
    process.stdout.write(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : describe(result));
    process.exitCode = result.identical ? 0 : DIFFERENT;
  });
}

function describe({ identical, slices, threads, outputs }: Verification): string {
  const rows = outputs.map((output) => [
    output.name,
    formatType(output),
    output.identical ? 'identical' : 'different',
    output.maxAbsDiff ?? 'none',
  ]);
  return [
    `${slices} slices and the whole model are ${identical ? 'identical' : 'different'} (${threads} threads)`,
    formatTable(['output', 'type', 'bits', 'max abs diff'], rows),
    '',
  ].join('\n');
}
