/** Runs a pipeline that takes and returns tensors, and writes these to a file. */
import { requireTensors } from '../invoke/tensors-only';
import type { ExecutionOutput } from '../../contract/execution';
import type { PipelineSignature } from '../../contract/signature';
import { checkRequest } from '../../lambda/request/request-check';
import { infer, type SucceededInference } from '../../local';
import { readAssembly } from '../../local/cloudformation/assembly';
import { selectPipeline } from '../../local/cloudformation/pipeline';
import { isSimulated, simulatedLabel } from '../commands/simulate-option';
import { writeOutputs, writtenLine } from '../outputs/out-file';
import { print, printJson } from '../terminal/print';
import { readTensorFile } from '../tensor-files';
import { warnOfMemory } from '../timings/memory-warnings';
import { timingTable } from '../timings/timing-table';
import { runLocally, type RunOptions } from './local-execution';

interface Files {
  readonly inputs: string;
  readonly out: string;
}

/** @throws SlicedInferenceError for inputs that do not fit, before anything starts */
export async function runTensors(assembly: string, options: RunOptions, files: Files): Promise<void> {
  const signature = selectPipeline(readAssembly(assembly), options.pipeline)
    .signature as unknown as PipelineSignature;
  requireTensors(signature);
  const tensors = await readTensorFile(files.inputs, signature.inputs);
  checkRequest({ request: signature.inputs, fixed: [] }, tensors);
  await runLocally<SucceededInference>(assembly, options, {
    execute: (cloud) => infer(cloud, tensors),
    timings: ({ execution }) => execution.timings,
    show: async ({ outputs, execution }) => {
      await writeOutputs(files.out, signature.outputs, outputs);
      warnOfMemory(execution.timings);
      if (options.json) printJson(execution);
      else print(describe(execution, options, files.out));
    },
  });
}

function describe({ timings }: ExecutionOutput, options: RunOptions, out: string): string {
  const label = isSimulated(options) ? `\ntimes are simulated: ${simulatedLabel(options)}` : '';
  return `${timingTable(timings)}${label}\n${writtenLine(out)}\n`;
}
