/** `sliced-inference run ASSEMBLY`: runs a synthesized pipeline in the local cloud. */
import { Command } from 'commander';
import { parseFailureCause } from '../../client';
import type { ExecutionOutput } from '../../contract/execution';
import type { TensorSpec } from '../../contract/tensors';
import { checkRequest } from '../../lambda/request/request-check';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { LocalCloud, infer } from '../../local';
import type { TraceEvent } from '../../local';
import { readAssembly } from '../../local/cloudformation/assembly';
import { selectPipeline } from '../../local/cloudformation/pipeline';
import { failureLine } from '../outputs/failure-line';
import {
  checkDistinct,
  checkOut,
  checkPlace,
  writeOutputs,
  writeText,
  writtenLine,
} from '../outputs/out-file';
import { clearProgress, showProgress } from '../terminal/progress';
import { readTensorFile } from '../tensor-files';
import { warnOfMemory } from '../timings/memory-warnings';
import { timingTable } from '../timings/timing-table';
import { chromeTrace } from '../timings/trace-file';
import { FAILED, TERMINATED } from '../process/exit-codes';
import { addFaultsOptions, reportFaults, faultsOf, type FaultsOptions } from './faults-option';
import { isSimulated, simulatedLabel, simulationOf, simulateOption } from './simulate-option';
import { print, printJson, printLine } from '../terminal/print';

interface Options extends FaultsOptions {
  readonly inputs: string;
  readonly out: string;
  readonly pipeline?: string;
  readonly trace?: string;
  readonly json?: boolean;
}

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
      "the pipeline's construct id, stack or stack/id, if the assembly has several pipelines",
    )
    .addOption(simulateOption())
    .option('--trace <file>', 'write a timeline for chrome://tracing and ui.perfetto.dev')
    .option('--json', "print the execution's output as JSON");
  return addFaultsOptions(command).addHelpText('after', HELP).action(run);
}

async function run(assembly: string, options: Options): Promise<void> {
  checkOut(options.out);
  if (options.trace !== undefined) {
    checkPlace(options.trace, '--trace');
    checkDistinct([options.trace, '--trace'], [options.out, '--out']);
  }
  const faults = faultsOf(options);
  const signature = selectPipeline(readAssembly(assembly), options.pipeline)
    .signature as unknown as Signature;
  const tensors = await readInputs(options.inputs, signature);
  // process.exit() also ends the functions' processes.
  const stop = (): void => process.exit(TERMINATED);
  process.once('SIGTERM', stop);
  showProgress('publishing the assets to a local S3');
  const events: TraceEvent[] = [];
  const cloud = await LocalCloud.start(assembly, {
    ...pipelineOption(options),
    ...simulationOf(options),
    ...faults,
    onTrace: (event) => events.push(event),
  });
  try {
    showProgress('running the state machine');
    const result = await infer(cloud, tensors);
    clearProgress();
    for (const notice of cloud.notices()) printLine(`note: ${notice}`);
    reportFaults(cloud, options);
    if (result.status === 'FAILED') {
      printLine(failureLine(result.error, parseFailureCause(result.cause)));
      process.exitCode = FAILED;
      await writeTrace(options, events);
      return;
    }
    await writeOutputs(options.out, signature.outputs, result.outputs);
    warnOfMemory(result.execution.timings);
    if (options.json) printJson(result.execution);
    else print(describe(result.execution, options));
    // Last, because the results matter more if a disk is full.
    await writeTrace(options, events, result.execution.timings);
  } finally {
    await cloud.close();
    process.off('SIGTERM', stop);
  }
}

async function writeTrace(
  options: Options,
  events: readonly TraceEvent[],
  timings: ExecutionOutput['timings'] = [],
): Promise<void> {
  if (options.trace === undefined) return;
  await writeText(options.trace, '--trace', chromeTrace(events, timings, simulatedLabel(options)));
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

function pipelineOption({ pipeline }: Options): { readonly pipeline?: string } {
  return pipeline === undefined ? {} : { pipeline };
}

function describe({ timings }: ExecutionOutput, options: Options): string {
  const label = isSimulated(options) ? `\ntimes are simulated: ${simulatedLabel(options)}` : '';
  return `${timingTable(timings)}${label}\n${writtenLine(options.out)}\n`;
}
