/** `sliced-inference run ASSEMBLY`: runs a synthesized pipeline in the local cloud. */
import { Command } from 'commander';
import {
  type InputOptions,
  addInputOptions,
  checkInputOptions,
  readJson,
  readTensors,
} from '../invoke/inputs';
import { laidOut } from '../terminal/help';
import { type LocalOptions, addLocalOptions, cloudOptions, reportFaults } from './local-options';
import { type CallTiming, type FailureCause, parseFailureCause } from '../../client';
import { invocationText } from '../../client/request';
import { checkOutput } from '../../client/read-results';
import type { ExecutionOutput } from '../../contract/execution';
import { STEP_STATES } from '../../contract/failures';
import type { PipelineSignature } from '../../contract/signature';
import { type Json, type TraceEvent, infer, LocalCloud } from '../../local';
import { readAssembly } from '../../local/cloudformation/assembly';
import { selectPipeline } from '../../local/cloudformation/pipeline';
import { failureLine } from '../outputs/failure-line';
import { sortedByModel, writeJson, writtenLine } from '../outputs/out-file';
import { Runs, showAfterFailure } from '../outputs/runs';
import { FAILED, TERMINATED } from '../process/exit-codes';
import { print, printJson, printLine } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { warnOfMemory } from '../timings/memory-warnings';

const HELP = `
Publishes the assembly's assets to a local S3 and runs its state machine. Each function runs in its own process. Nothing
leaves this machine, and you need no AWS account. A pipeline with a preprocess or postprocess function takes --input-json.

Examples:
  $ npx cdk synth && sliced-inference run cdk.out --inputs x.npz
  $ sliced-inference run cdk.out --pipeline Ocr --inputs x.npz --repeat 21
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

type RunOptions = LocalOptions & InputOptions;

interface Failed {
  /** Which of repeated runs it is. */
  readonly run?: string;
  readonly error: string;
  readonly cause: string;
}

/**
 * For a pipeline with functions before or after the slices, or a state machine of the user.
 * @throws InferenceError `InvalidInput` for more JSON than Step Functions takes, before anything starts
 */
async function runJson(assembly: string, options: RunOptions, input: unknown): Promise<void> {
  invocationText(input);
  const { out, json } = options;
  let output: Json | undefined;
  const execute = async (cloud: LocalCloud): Promise<Failed | undefined> => {
    const result = await cloud.execute(input as Json);
    if (result.status !== 'SUCCEEDED') return result;
    output = result.output;
    return undefined;
  };
  await runLocally(assembly, options, execute, async () => {
    if (output === undefined) return;
    if (out !== undefined) await writeJson(out, output);
    warnOfMemory(timingsIn(output));
    if (out === undefined || json) printJson(output);
    else print(`${writtenLine(out)}\n`);
  });
}

/** @throws SlicedInferenceError for inputs that do not fit, before anything starts */
async function runTensors(assembly: string, options: RunOptions, inputs: string): Promise<void> {
  const { signature } = selectPipeline(readAssembly(assembly), options.pipeline);
  const pipeline = signature as unknown as PipelineSignature;
  const tensors = await readTensors(inputs, pipeline);
  const runs = new Runs(options, `on this machine, simulated: ${options.simulate}`);
  let first: ExecutionOutput | undefined;
  const execute = async (cloud: LocalCloud): Promise<Failed | undefined> => {
    while (runs.next()) {
      showProgress(`${runs.place}running the state machine`);
      const begun = performance.now();
      const result = await infer(cloud, tensors);
      if (result.status !== 'SUCCEEDED') return { ...result, run: runs.place };
      const { outputs, execution } = result;
      const ms = performance.now() - begun;
      runs.add({ ms, timings: execution.timings }, sortedByModel(pipeline.outputs, outputs));
      first ??= execution;
    }
    return undefined;
  };
  const show = (): Promise<void> => runs.show({ json: () => ({ ...first }), about: [] });
  await runLocally(assembly, options, execute, show);
}

/** None if a function of the user has made something else of the pipeline's output. */
function timingsIn(output: Json): readonly CallTiming[] {
  try {
    return checkOutput(JSON.stringify(output)).timings;
  } catch {
    return [];
  }
}

/** Sets the exit code if an execution fails. @param show shows what has ended, if anything has */
async function runLocally(
  assembly: string,
  options: RunOptions,
  execute: (cloud: LocalCloud) => Promise<Failed | undefined>,
  show: () => Promise<void>,
): Promise<void> {
  const stop = (): void => {
    clearProgress();
    // The exit also ends the functions' processes.
    void showAfterFailure(show).finally(() => process.exit(TERMINATED));
  };
  process.once('SIGTERM', stop);
  showProgress('publishing the assets to a local S3');
  const events: TraceEvent[] = [];
  const cloud = await LocalCloud.start(assembly, {
    ...cloudOptions(options),
    onTrace: (event) => events.push(event),
  });
  try {
    showProgress('running the state machine');
    const failed = await execute(cloud);
    process.off('SIGTERM', stop);
    clearProgress();
    for (const notice of cloud.notices()) printLine(`note: ${notice}`);
    reportFaults(cloud, options);
    await (failed === undefined ? show() : showAfterFailure(show));
    if (failed === undefined) return;
    printLine(failureLine(failed.error, causeOf(failed, events), undefined, failed.run));
    process.exitCode = FAILED;
  } finally {
    await cloud.close();
    process.off('SIGTERM', stop);
  }
}

/** A Standard pipeline's own function throws its error as it is. So the state that was entered last says which one it was. */
function causeOf({ cause }: Failed, events: readonly TraceEvent[]): FailureCause {
  const state = events.findLast(({ type }) => type === 'StateEntered')?.state;
  const step = (['preprocess', 'postprocess'] as const).find((name) => STEP_STATES[name] === state);
  return { ...(step !== undefined && { step }), ...parseFailureCause(cause) };
}
