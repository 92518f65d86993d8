/** A folder of requests, each of which becomes a line of one list. */
import * as path from 'node:path';
import { InferenceError } from '../../client';
import type { BatchRequest } from '../../client/batch/types';
import { typedTensors } from '../../client/tensors/from-raw';
import { MAX_PREPROCESSED_LINE_BYTES, type BatchSignature } from '../../contract/batch';
import type { TensorSpec } from '../../contract/tensors';
import { isName } from '../../lambda/batch/item';
import { NamedFailure } from '../../lambda/errors';
import { kindOf, parsedRecord, type JsonRecord } from '../../lambda/json-values';
import { checkRequest } from '../../lambda/request/request-check';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { quoted } from '../../lib/errors';
import { readText } from '../../lib/host/read-text';
import { readTensorFile } from '../tensor-files';
import { filesOf, unfit } from './local-files';

/** @throws SlicedInferenceError or InferenceError for a file that is no request */
export async function* requestsIn(
  local: string,
  { inputs, preprocess }: BatchSignature,
  onFile: (files: number) => void,
): AsyncGenerator<BatchRequest | readonly [id: string, request: BatchRequest], void> {
  for (const { file, key: id } of filesOf(local, '', onFile)) {
    const json = preprocess && jsonOf(file);
    // An id in the file is the user's, and its function may need it.
    yield json?.id === undefined ? [id, json ?? typedTensors(await tensorsOf(file, inputs))] : json;
  }
}

async function tensorsOf(
  file: string,
  inputs: readonly TensorSpec[],
): Promise<ReadonlyMap<string, RawTensor>> {
  const tensors = await readTensorFile(file, inputs);
  try {
    checkRequest({ request: inputs, fixed: [] }, tensors);
  } catch (error) {
    if (!(error instanceof NamedFailure)) throw error;
    throw new InferenceError(error.name, `${quoted(file)} of --inputs: ${error.message}`);
  }
  return tensors;
}

function jsonOf(file: string): JsonRecord {
  const what = 'a JSON object, which the preprocess function gets';
  const advice = 'pass a folder of such files, or a file of JSON Lines';
  if (path.extname(file).toLowerCase() !== '.json') throw unfit(file, what, 'another file', advice);
  const value = parsedRecord(readText(file, 'file of --inputs', MAX_PREPROCESSED_LINE_BYTES, advice));
  if (value === undefined) throw unfit(file, what, 'something else', advice);
  if (value.id === undefined || isName(value.id)) return value;
  throw unfit(
    file,
    `${what} and whose id is a text or a number`,
    kindOf(value.id),
    'correct it or leave it out',
  );
}
