/** Calls a deployed pipeline or a state machine, and prints or writes what it returns. */
import type { SlicedInferenceClient, TypedTensor } from '../../client';
import { bytesOf, type RawTensor } from '../../lambda/tensors/tensor';
import { sortedByModel, writeJson, writtenLine } from '../outputs/out-file';
import { outputTable } from '../outputs/output-table';
import { writeTensorFile } from '../tensor-files';
import { print, printJson } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { warnOfMemory } from '../timings/memory-warnings';
import { timingTable } from '../timings/timing-table';
import { readTensors, type InvokeOptions } from './inputs';
import type { Waiting } from './waiting';

interface Call {
  readonly model: SlicedInferenceClient;
  readonly options: InvokeOptions;
  readonly waiting: Waiting;
}

/**
 * Passes any JSON, also to a state machine that only contains pipelines.
 * @throws the errors of the client
 */
export async function callWithJson({ model, options, waiting }: Call, input: unknown): Promise<void> {
  waiting.start();
  const { output, executionArn } = await model.invoke(input, waiting.callOptions);
  waiting.end();
  clearProgress();
  const { out, json } = options;
  if (out !== undefined) await writeJson(out, output);
  if (json) printJson({ executionArn, output });
  else if (out === undefined) printJson(output);
  else print(`execution ${executionArn}\n${writtenLine(out)}\n`);
}

/** @throws SlicedInferenceError for inputs that do not fit, before anything is sent; the errors of the client */
export async function callWithTensors({ model, options, waiting }: Call, file: string): Promise<void> {
  showProgress('reading the signature of the pipeline');
  const { signature } = await waiting.firstOf(model.describe());
  const inputs = await readTensors(file, signature);
  waiting.start();
  const { out, json, results } = options;
  const { result, output } = await model.inferWithOutput(inputs, {
    ...waiting.callOptions,
    ...(results !== undefined && { results }),
  });
  waiting.end();
  clearProgress();
  const { executionArn, timings } = result;
  const outputs = sortedByModel(signature.outputs, new Map(Object.entries(result.outputs)));
  if (out !== undefined) {
    const tensors = new Map([...outputs].map(([name, tensor]) => [name, rawTensor(tensor)]));
    await writeTensorFile(out, tensors);
  }
  warnOfMemory(timings);
  if (json) printJson({ executionArn, output: JSON.parse(output) as unknown });
  else {
    const shown = out === undefined ? outputTable(outputs) : writtenLine(out);
    print(`${timingTable(timings)}\nexecution ${executionArn}\n${shown}\n`);
  }
}

function rawTensor({ dtype, shape, data }: TypedTensor): RawTensor {
  if (dtype === 'string') return { dtype, shape, strings: data };
  return { dtype, shape, bytes: bytesOf(data) };
}
