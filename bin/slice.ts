/** `sliced-inference slice MODEL --out DIR`: writes the slices and `plan.json`. */
import { Command } from 'commander';
import { compile } from '../lib/compile';
import { writeSlices } from '../lib/emit/write';
import { SlicedInferenceError } from '../lib/errors';
import type { SlicePlan } from '../lib/plan/plan';
import { formatBytes, formatTable, formatType } from './format';
import { clearProgress, showProgress } from './progress';
import type { SlicingOptions } from './slicing-options';
import { addSlicingOptions, analyseOptions, slicerFor } from './slicing-options';
import { noteUnfinished } from './unfinished';

interface Options extends SlicingOptions {
  readonly out: string;
  readonly json?: boolean;
}

const HELP = `
Writes plan.json and, for each slice, slice-NN.onnx and slice-NN.weights: ONNX models with external data that any
ONNX runtime loads. Without a flag that says how to cut, makes the fewest slices that fit functions of 3008 MB.

Examples:
  $ sliced-inference slice model.onnx --slices 3 --out slices
  $ sliced-inference slice model.onnx --max-slice-size 64MB --dimension batch=8 --out slices
  $ sliced-inference slice model.onnx --at-tensors conv5_out,pool5_out --out slices
  $ sliced-inference slice model-v2.onnx --slicing-plan slices/plan.json --out slices-v2`;

export function sliceCommand(): Command {
  const command = new Command('slice')
    .description('cut a model and write plan.json and the slice files')
    .argument('<model>', 'path of an ONNX model')
    .requiredOption('--out <folder>', 'folder to write; an earlier plan in it is replaced')
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', HELP);
  return addSlicingOptions(command).action((model: string, options: Options) => {
    const slicer = slicerFor(options);
    if (options.out === '') throw new SlicedInferenceError('--out must name a folder', "''", 'give its path');
    showProgress(`reading ${model}`);
    const compiled = compile(model, slicer, analyseOptions(options));
    const plan = writeSlices(compiled, options.out, {
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

function describePlan(plan: SlicePlan, folder: string): string {
  const rows = plan.slices.map((slice, index) => {
    const nodes = slice.nodes.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const reads = slice.inputs.map((input) => `${input.name} ${formatType(input)}`).join(', ');
    return [index, nodes, formatBytes(slice.weightBytes), `${slice.memoryMb}MB`, reads];
  });
  return `${formatTable(['slice', 'nodes', 'weights', 'memory', 'reads'], rows)}\nwritten to ${folder}\n`;
}
