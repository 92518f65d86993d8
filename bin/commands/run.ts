/** `sliced-inference run ASSEMBLY`: runs a synthesized pipeline in the local cloud. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command, Option } from 'commander';
import { parseFailureCause } from '../../client';
import type { ExecutionOutput } from '../../contract/execution';
import type { TensorSpec } from '../../contract/tensors';
import { checkRequest } from '../../lambda/request/request-check';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { SlicedInferenceError } from '../../lib/errors';
import { LocalCloud, SIMULATIONS, infer } from '../../local';
import type { SimulationName, TraceEvent } from '../../local';
import { readAssembly } from '../../local/cloudformation/assembly';
import { selectPipeline, selectStateMachine } from '../../local/cloudformation/pipeline';
import { sliceMemory } from '../../local/lambda/slice-memory';
import { formatBytes } from '../terminal/format';
import { clearProgress, showProgress } from '../terminal/progress';
import { isWritableTensorFile, partialFile, readTensorFile, writeTensorFile } from '../tensor-files';
import { memoryWarnings } from '../timings/memory-warnings';
import { timingTable } from '../timings/timing-table';
import { chromeTrace } from '../timings/trace-file';
import { TERMINATED } from '../process/exit-codes';
import { noteUnfinished } from '../process/unfinished';
import { addFaultsOptions, describeFaults, faultsOf, type FaultsOptions } from './faults-option';

interface Options extends FaultsOptions {
  readonly inputs: string;
  readonly out: string;
  readonly pipeline?: string;
  readonly simulate: SimulationName;
  readonly trace?: string;
  readonly json?: boolean;
}

/** Exit code if the execution fails. */
const FAILED = 1;

const HELP = `
Publishes the assembly's assets to a local S3 and runs its state machine. Each function runs in its own process. Nothing
leaves this machine. The --inputs file must hold one tensor for each of the model's inputs, under the input's name.

Examples:
  $ npx cdk synth && sliced-inference run cdk.out --inputs x.npz --out y.npz
  $ sliced-inference run cdk.out --pipeline OcrStack --inputs x.safetensors --out y.json`;

export function runCommand(): Command {
  const command = new Command('run')
    .description('run the pipeline of a synthesized cdk.out on this machine, without an AWS account')
    .argument('<assembly>', 'folder that `cdk synth` wrote')
    .requiredOption('--inputs <file>', '.safetensors, .npz, .npy, .json or a folder of input_N.pb')
    .requiredOption('--out <file>', 'file for the outputs: .safetensors, .npz or .json')
    .option(
      '--pipeline <name>',
      "the pipeline's stack or stack/logicalId, if the assembly has several pipelines",
    )
    .addOption(
      new Option(
        '--simulate <network>',
        'slow S3, cold starts and state transitions down to about their speed on AWS',
      )
        .choices(Object.keys(SIMULATIONS))
        .default('none'),
    )
    .option('--trace <file>', 'write a timeline for chrome://tracing and ui.perfetto.dev')
    .option('--json', "print the execution's output as JSON");
  return addFaultsOptions(command).addHelpText('after', HELP).action(run);
}

async function run(assembly: string, options: Options): Promise<void> {
  checkOut(options.out);
  if (options.trace !== undefined) checkPlace(options.trace, '--trace');
  const faults = faultsOf(options);
  const stacks = readAssembly(assembly);
  const signature = selectPipeline(stacks, options.pipeline).signature as unknown as Signature;
  const tensors = await readInputs(options.inputs, signature);
  // process.exit() also ends the functions' processes.
  const stop = (): void => process.exit(TERMINATED);
  process.once('SIGTERM', stop);
  showProgress('publishing the assets to a local S3');
  const simulation = SIMULATIONS[options.simulate];
  const events: TraceEvent[] = [];
  const cloud = await LocalCloud.start(assembly, {
    ...pipelineOption(options),
    simulation,
    ...faults,
    onTrace: (event) => events.push(event),
  });
  try {
    showProgress('running the state machine');
    const result = await infer(cloud, tensors);
    clearProgress();
    for (const notice of cloud.notices()) process.stderr.write(`note: ${notice}\n`);
    process.stderr.write(describeFaults(cloud, options));
    if (options.trace !== undefined) {
      const timings = result.status === 'FAILED' ? [] : result.execution.timings;
      fs.writeFileSync(options.trace, chromeTrace(events, timings, options.simulate));
    }
    if (result.status === 'FAILED') {
      process.stderr.write(`error: the execution failed: ${result.error}: ${failureMessage(result.cause)}\n`);
      process.exitCode = FAILED;
      return;
    }
    noteUnfinished({ partial: partialFile(options.out), parents: [] });
    await writeTensorFile(options.out, sortedByModel(signature.outputs, result.outputs));
    const memory = sliceMemory(selectStateMachine(stacks, options.pipeline));
    for (const warning of memoryWarnings(result.execution.timings, memory)) {
      process.stderr.write(`warning: ${warning}\n`);
    }
    process.stdout.write(
      options.json
        ? `${JSON.stringify(result.execution, undefined, 2)}\n`
        : describe(result.execution, options),
    );
  } finally {
    await cloud.close();
    process.off('SIGTERM', stop);
  }
}

/** Refuses an unusable `--out` before any work starts. */
function checkOut(out: string): void {
  if (!isWritableTensorFile(out)) {
    throw new SlicedInferenceError('--out must end in .safetensors, .npz or .json', `'${out}'`, 'rename it');
  }
  checkPlace(out, '--out');
}

function checkPlace(file: string, flag: string): void {
  if (!isFolder(path.dirname(file))) {
    throw new SlicedInferenceError(
      `${flag} must be in an existing folder`,
      `'${file}'`,
      'create the folder or choose another',
    );
  }
  if (isFolder(file)) {
    throw new SlicedInferenceError(`${flag} must name a file`, `the folder '${file}'`, 'rename it');
  }
}

function isFolder(name: string): boolean {
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The fields of a pipeline's signature that this command uses. */
interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** Reads the inputs and checks them as the pipeline would, before anything starts. */
async function readInputs(file: string, { inputs }: Signature): Promise<ReadonlyMap<string, RawTensor>> {
  const tensors = await readTensorFile(file, inputs);
  checkRequest({ request: inputs, fixed: [] }, tensors);
  return tensors;
}

/** Sorts outputs in the model's order; the pipeline's files have another order. */
function sortedByModel(
  specs: readonly TensorSpec[],
  tensors: ReadonlyMap<string, RawTensor>,
): ReadonlyMap<string, RawTensor> {
  const place = new Map(specs.map(({ name }, index) => [name, index]));
  return new Map([...tensors].sort(([a], [b]) => (place.get(a) ?? 0) - (place.get(b) ?? 0)));
}

function pipelineOption({ pipeline }: Options): { readonly pipeline?: string } {
  return pipeline === undefined ? {} : { pipeline };
}

function failureMessage(cause: string): string {
  const { slice, message } = parseFailureCause(cause);
  return slice === undefined ? message : `slice ${slice}: ${message}`;
}

function describe({ timings }: ExecutionOutput, { out, simulate }: Options): string {
  const label = simulate === 'none' ? '' : `\ntimes are simulated: ${simulate}`;
  return `${timingTable(timings)}${label}\nwritten to ${out} (${formatBytes(fs.statSync(out).size)})\n`;
}
