/** Calls a pipeline that takes and returns tensors, and prints or writes these. */
import type { InferenceResult, TypedTensor } from '../../client';
import {
  MAX_INLINE_RESULT_BYTES,
  type ExecutionOutput,
  type ExecutionOutputs,
} from '../../contract/execution';
import { CONTRACT_VERSION } from '../../contract/version';
import { encodeInlineTensor, inlineBytes } from '../../lambda/request/inline-tensor';
import { checkRequest } from '../../lambda/request/request-check';
import { bytesOf, type RawTensor } from '../../lambda/tensors/tensor';
import { writeOutputs, writtenLine } from '../outputs/out-file';
import { outputTable } from '../outputs/output-table';
import { sortedByModel } from '../outputs/sorted-by-model';
import { clearProgress, showProgress } from '../terminal/progress';
import { readTensorFile } from '../tensor-files';
import { warnOfMemory } from '../timings/memory-warnings';
import { timingTable } from '../timings/timing-table';
import type { Call } from './call';
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
  const result = await model.infer(inputs, {
    ...waiting.callOptions,
    ...(results !== undefined && { results }),
  });
  waiting.end();
  clearProgress();
  const outputs = sortedByModel(signature.outputs, new Map(Object.entries(result.outputs)));
  const { out } = options;
  if (out !== undefined) await writeOutputs(out, signature.outputs, rawTensors(outputs));
  warnOfMemory(result.timings);
  process.stdout.write(options.json ? json(result, rawTensors(outputs)) : describe(result, outputs, out));
}

/** Results are in the output as they are in that of the state machine: in S3 unless it has them alone, and inside if they are small. */
function json(result: InferenceResult, tensors: ReadonlyMap<string, RawTensor>): string {
  const { executionArn, deploymentDigest, run, servedBy, timings, resultsObject: s3 } = result;
  const inline = inlineTensors(tensors);
  const outputs = { ...(s3 && { s3 }), ...(inline !== undefined && { tensors: inline }) };
  const output: ExecutionOutput = {
    ...{ version: CONTRACT_VERSION, deploymentDigest, run, outputs },
    ...(servedBy !== undefined && { servedBy }),
    timings,
  };
  return `${JSON.stringify({ executionArn, output }, undefined, 2)}\n`;
}

/** `undefined` for results that an execution's output would not contain either. */
function inlineTensors(tensors: ReadonlyMap<string, RawTensor>): ExecutionOutputs['tensors'] {
  const size = [...tensors.values()].reduce((sum, tensor) => sum + inlineBytes(tensor), 0);
  if (size > MAX_INLINE_RESULT_BYTES) return undefined;
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]));
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
