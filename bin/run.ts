/** `sliced-inference run ASSEMBLY`: runs a synthesized pipeline in the local cloud. */
import * as fs from 'node:fs';
import { Command } from 'commander';
import type { ExecutionOutput, TensorSpec } from '../lambda/contract';
import { SlicedInferenceError } from '../lib/errors';
import { LocalCloud, infer } from '../local';
import { formatBytes } from './format';
import { clearProgress, showProgress } from './progress';
import { isWritableTensorFile, readTensorFile, writeTensorFile } from './tensor-files';
import { timingTable } from './timing-table';

interface Options {
  readonly inputs: string;
  readonly out: string;
  readonly pipeline?: string;
  readonly json?: boolean;
}

/** Exit code for "the execution failed". */
const FAILED = 1;

export function runCommand(): Command {
  return new Command('run')
    .description('run a synthesized cdk.out on this machine, without an AWS account')
    .argument('<assembly>', 'folder that `cdk synth` wrote')
    .requiredOption('--inputs <file>', '.safetensors, .npz, .npy, .json or a folder of input_N.pb')
    .requiredOption('--out <file>', 'file for the outputs: .safetensors, .npz or .json')
    .option('--pipeline <name>', 'stack of the pipeline, where the assembly has several')
    .option('--json', "print the execution's output as JSON")
    .action(run);
}

async function run(assembly: string, options: Options): Promise<void> {
  if (!isWritableTensorFile(options.out)) {
    throw new SlicedInferenceError(
      '--out must end in .safetensors, .npz or .json',
      `'${options.out}'`,
      'rename it',
    );
  }
  showProgress('publishing the assets to a local S3');
  const cloud = await LocalCloud.start(
    assembly,
    options.pipeline === undefined ? {} : { pipeline: options.pipeline },
  );
  // Without this, Ctrl-C would leave the functions' processes to end by themselves.
  const stop = (): void => {
    process.exit(130);
  };
  process.once('SIGINT', stop);
  try {
    const inputs = cloud.pipeline.signature.inputs as unknown as readonly TensorSpec[];
    const tensors = await readTensorFile(
      options.inputs,
      inputs.map(({ name }) => name),
    );
    showProgress('running the state machine');
    const result = await infer(cloud, tensors);
    clearProgress();
    if (result.status === 'FAILED') {
      process.stderr.write(`execution failed: ${result.error}: ${failureMessage(result.cause)}\n`);
      process.exitCode = FAILED;
      return;
    }
    await writeTensorFile(options.out, result.outputs);
    process.stdout.write(
      options.json
        ? `${JSON.stringify(result.execution, undefined, 2)}\n`
        : describe(result.execution, options.out),
    );
  } finally {
    process.off('SIGINT', stop);
    await cloud.close();
  }
}

/** The message of a `FailureCause`, or the cause as it is. */
function failureMessage(cause: string): string {
  try {
    const { slice, message } = JSON.parse(cause) as { slice?: number; message?: string };
    return message === undefined ? cause : `slice ${slice}: ${message}`;
  } catch {
    // Causes of the services are plain text.
    return cause;
  }
}

function describe({ timings }: ExecutionOutput, out: string): string {
  return `${timingTable(timings)}\nwritten to ${out} (${formatBytes(fs.statSync(out).size)})\n`;
}
