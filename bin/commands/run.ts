/** `sliced-inference run ASSEMBLY`: runs a synthesized pipeline in the local cloud. */
import { Command } from 'commander';
import { addInputOptions, checkInputOptions, readJson } from '../invoke/inputs';
import { runJson, runTensors, type RunOptions } from '../run/local-execution';
import { laidOut } from '../terminal/help';
import { addLocalOptions } from './local-options';

const HELP = `
Publishes the assembly's assets to a local S3 and runs its state machine. Each function runs in its own process. Nothing
leaves this machine, and you need no AWS account. The --inputs file must hold one tensor for each of the model's inputs, under the
input's name. A pipeline with a preprocess or postprocess function takes --input-json.

Examples:
  $ npx cdk synth && sliced-inference run cdk.out --inputs x.npz
  $ sliced-inference run cdk.out --inputs x.npz --repeat 21 --simulate aws
  $ sliced-inference run cdk.out --inputs x.npz --labels labels.txt
  $ sliced-inference run cdk.out --pipeline Ocr --inputs x.npz --out y.json
  $ sliced-inference run cdk.out --input-json '{"text": "hello"}'`;

export function runCommand(): Command {
  const command = new Command('run')
    .description('run a synthesized pipeline on this machine')
    .argument('<assembly>', 'folder that `cdk synth` wrote');
  addInputOptions(command)
    .option(
      '--out <file>',
      'file for the outputs: .safetensors, .npz or .json; with --input-json .json (default: a summary or the JSON is printed)',
    )
    .option(
      '--pipeline <name>',
      "the pipeline's construct id, stack or stack/id, if the assembly has several pipelines",
    )
    .option('--json', "print the execution's output as JSON");
  return addLocalOptions(command).addHelpText('after', laidOut(HELP)).action(run);
}

async function run(assembly: string, options: RunOptions): Promise<void> {
  const { inputs, inputJson } = options;
  checkInputOptions('run', options);
  if (inputs === undefined) {
    await runJson(assembly, options, readJson(inputJson ?? ''));
    return;
  }
  await runTensors(assembly, options, inputs);
}
