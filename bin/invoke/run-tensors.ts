/** Calls a pipeline that takes and returns tensors, and prints or writes these. */
import type { InferenceResult, TypedTensor } from '../../client';
import { checkRequest } from '../../lambda/request/request-check';
import { bytesOf, type RawTensor } from '../../lambda/tensors/tensor';
import { writeOutputs, writtenLine } from '../outputs/out-file';
import { outputTable } from '../outputs/output-table';
import { sortedByModel } from '../outputs/sorted-by-model';
import { print, printJson } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { readTensorFile } from '../tensor-files';
import { warnOfMemory } from '../timings/memory-warnings';
import { timingTable } from '../timings/timing-table';
import type { Call } from './call';
import { keepingResult } from './keep-result';
import { requireTensors } from './tensors-only';

/** @throws SlicedInferenceError for inputs that do not fit, before anything is sent; the errors of the client */
export async function runTensors({ model, options, waiting }: Call, file: string): Promise<void> {
  showProgress('reading the signature of the pipeline');
  const { signature } = await waiting.firstOf(model.describe());
  requireTensors(signature);
  const inputs = await readTensorFile(file, signature.inputs);
  checkRequest({ request: signature.inputs, fixed: [] }, inputs);
  waiting.start();
  const { results } = options;
  const { result, output } = await model.inferWithOutput(inputs, {
    ...waiting.callOptions,
    ...(results !== undefined && { results }),
  });
  waiting.end();
  clearProgress();
  const { executionArn } = result;
  const outputs = sortedByModel(signature.outputs, new Map(Object.entries(result.outputs)));
  const { out } = options;
  if (out !== undefined) {
    await keepingResult(result, writeOutputs(out, signature.outputs, rawTensors(outputs)));
  }
  warnOfMemory(result.timings);
  if (options.json) printJson({ executionArn, output: JSON.parse(output) as unknown });
  else print(describe(result, outputs, out));
}

function describe(
  { executionArn, timings }: InferenceResult,
  outputs: ReadonlyMap<string, TypedTensor>,
  out: string | undefined,
): string {
  const results = out === undefined ? outputTable(outputs) : writtenLine(out);
  return `${timingTable(timings)}\nexecution ${executionArn}\n${results}\n`;
}

function rawTensors(outputs: ReadonlyMap<string, TypedTensor>): ReadonlyMap<string, RawTensor> {
  return new Map([...outputs].map(([name, tensor]) => [name, rawTensor(tensor)]));
}

function rawTensor({ dtype, shape, data }: TypedTensor): RawTensor {
  if (dtype === 'string') return { dtype, shape, strings: data };
  return { dtype, shape, bytes: bytesOf(data) };
}
