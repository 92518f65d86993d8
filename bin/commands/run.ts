/** `sliced-inference run ASSEMBLY`: runs a synthesized pipeline in the local cloud. */
import { Command, Option } from 'commander';
import { SlicedInferenceError } from '../../lib/errors';
import { readJsonInput } from '../invoke/json-input';
import { checkJsonOut } from '../outputs/json-out';
import { checkDistinct, checkPlace } from '../outputs/named-file';
import { checkOut } from '../outputs/out-file';
import type { RunOptions } from '../run/local-execution';
import { runJson } from '../run/run-json';
import { runTensors } from '../run/run-tensors';
import { addFaultsOptions } from './faults-option';
import { simulateOption } from './simulate-option';

const HELP = `
Publishes the assembly's assets to a local S3 and runs its state machine. Each function runs in its own process. Nothing
leaves this machine. The --inputs file must hold one tensor for each of the model's inputs, under the input's name. A pipeline with a
preprocess or postprocess function takes --input-json.

Examples:
  $ npx cdk synth && sliced-inference run cdk.out --inputs x.npz --out y.npz
  $ sliced-inference run cdk.out --pipeline OcrStack --inputs x.safetensors --out y.json
  $ sliced-inference run cdk.out --input-json '{"text": "hello"}'`;

export function runCommand(): Command {
  const command = new Command('run')
    .description('run the pipeline of a synthesized cdk.out on this machine, without an AWS account')
    .argument('<assembly>', 'folder that `cdk synth` wrote')
    .option('--inputs <file>', '.safetensors, .npz, .npy, .json or a folder of input_N.pb')
    .addOption(
      new Option(
        '--input-json <file or text>',
        'any JSON, for a pipeline with a preprocess or postprocess function, or for your own state machine',
      ).conflicts('inputs'),
    )
    .option(
      '--out <file>',
      'file for the outputs: .safetensors, .npz or .json; with --input-json .json (default: the JSON is printed)',
    )
    .option(
      '--pipeline <name>',
      "the pipeline's construct id, stack or stack/id, if the assembly has several pipelines",
    )
    .addOption(simulateOption())
    .option('--trace <file>', 'write a timeline for chrome://tracing and ui.perfetto.dev')
    .option('--json', "print the execution's output as JSON");
  return addFaultsOptions(command).addHelpText('after', HELP).action(run);
}

async function run(assembly: string, options: RunOptions): Promise<void> {
  const { inputs, inputJson, out, trace } = options;
  if (trace !== undefined) {
    checkPlace(trace, '--trace');
    if (out !== undefined) checkDistinct([trace, '--trace'], [out, '--out']);
  }
  if (inputJson !== undefined) {
    if (out !== undefined) checkJsonOut(out);
    await runJson(assembly, options, readJsonInput(inputJson));
    return;
  }
  if (inputs === undefined) {
    throw new SlicedInferenceError('run must have --inputs or --input-json', 'neither', 'add one of them');
  }
  if (out === undefined)
    throw new SlicedInferenceError('--inputs must come with --out', 'none', 'add --out y.npz');
  checkOut(out);
  await runTensors(assembly, options, { inputs, out });
}
