/** Runs a pipeline with functions before or after the slices, or a state machine of the user, and prints or writes the JSON that it returns. */
import { invocationText } from '../../client/invocation';
import { checkOutput } from '../../client/results/check-output';
import type { CallTiming } from '../../client';
import type { ExecutionResult, Json } from '../../local';
import { writeJson } from '../outputs/json-out';
import { writtenLine } from '../outputs/out-file';
import { print, printJson } from '../terminal/print';
import { warnOfMemory } from '../timings/memory-warnings';
import { runLocally, type RunOptions } from './local-execution';

type Succeeded = Extract<ExecutionResult, { readonly status: 'SUCCEEDED' }>;

/** @throws InferenceError `InvalidInput` for more JSON than Step Functions takes, before anything starts */
export async function runJson(assembly: string, options: RunOptions, input: unknown): Promise<void> {
  invocationText(input);
  const { out, json } = options;
  await runLocally<Succeeded>(assembly, options, {
    execute: (cloud) => cloud.execute(input as Json),
    timings: ({ output }) => timingsIn(output),
    show: async ({ output }) => {
      if (out !== undefined) await writeJson(out, output);
      warnOfMemory(timingsIn(output));
      if (out === undefined || json) printJson(output);
      else print(`${writtenLine(out)}\n`);
    },
  });
}

/** None if a function of the user has made something else of the pipeline's output. */
function timingsIn(output: Json): readonly CallTiming[] {
  try {
    return checkOutput(JSON.stringify(output)).timings;
  } catch {
    return [];
  }
}
