/** Reads the results of an execution: from its output if they are there, otherwise from S3. */
import type { ObjectReference } from '../../contract/execution';
import { ERROR_NAMES } from '../../contract/failures';
import type { PipelineSignature } from '../../contract/signature';
import { quotedName } from '../../lambda/json-values';
import { decodeInlineTensor } from '../../lambda/request/inline-tensor';
import { decodeSafetensors, SafetensorsError } from '../../lambda/tensors/safetensors';
import { describeTensor, type RawTensor } from '../../lambda/tensors/tensor';
import type { Objects } from '../aws/objects';
import { BrokenBodyError } from '../aws/read-body';
import { InferenceError } from '../errors';
import { invalidOutput, type CheckedOutput } from './check-output';

/** As often as slice functions read a damaged object. */
const MOST_READS = 3;

/** @throws InferenceError `InvalidOutput` or `CorruptTensor` */
export async function readResults(
  output: CheckedOutput,
  signature: PipelineSignature,
  objects: Objects,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RawTensor>> {
  const tensors = await readResultTensors(output, objects, signal);
  // A deployment during the run may have changed the outputs.
  if (output.deploymentDigest === signature.deploymentDigest) checkResults(signature, tensors);
  return tensors;
}

/**
 * Reads results without a signature to check them against.
 * @throws InferenceError `InvalidOutput` or `CorruptTensor`
 */
export async function readResultTensors(
  { results }: CheckedOutput,
  objects: Objects,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RawTensor>> {
  if (results.tensors === undefined) return await readObject(results.object, objects, signal);
  return new Map(Object.entries(results.tensors).map(([name, tensor]) => [name, decode(name, tensor)]));
}

function decode(name: string, tensor: unknown): RawTensor {
  try {
    return decodeInlineTensor(name, tensor);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidOutput(`a tensor as ${quotedName(name)}`, `a malformed one (${reason})`, name);
  }
}

async function readObject(
  object: ObjectReference,
  objects: Objects,
  signal: AbortSignal,
): Promise<Map<string, RawTensor>> {
  for (let reads = 1; ; reads++) {
    try {
      return decodeSafetensors(await objects.get(object, signal));
    } catch (error) {
      const isDamaged = error instanceof SafetensorsError || error instanceof BrokenBodyError;
      if (!isDamaged) throw error;
      if (reads < MOST_READS) continue;
      throw new InferenceError(
        ERROR_NAMES.corruptTensor,
        `the results ${quotedName(object.key)} must be whole, got damaged ones in ${MOST_READS} reads: ${error.message}`,
        { cause: error },
      );
    }
  }
}

function checkResults({ outputs }: PipelineSignature, tensors: ReadonlyMap<string, RawTensor>): void {
  for (const spec of outputs) {
    const tensor = tensors.get(spec.name);
    const got = tensor === undefined ? 'none' : describeTensor(tensor);
    if (tensor?.dtype === spec.dtype) continue;
    throw invalidOutput(`the tensor ${quotedName(spec.name)} ${describeTensor(spec)}`, got, spec.name);
  }
  if (tensors.size !== outputs.length) throw invalidOutput(`${outputs.length} tensors`, String(tensors.size));
}
