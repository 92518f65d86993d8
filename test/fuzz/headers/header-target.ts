/**
 * Gives a mutated safetensors file to all readers: the client's, and that of the slice functions, for a caller's file, also as
 * a request, and for a function's. They accept it with exactly its tensors, or refuse it with one clear error, and they agree.
 */
import * as fs from 'node:fs';
import { decodeTensors } from '../../../client';
import { ERROR_NAMES } from '../../../contract/failures';
import { failureOf, NamedFailure } from '../../../lambda/errors';
import { openRequest } from '../../../lambda/request/request';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { SafetensorsError } from '../../../lambda/tensors/safetensors';
import { MemoryObjects } from '../../support/memory-objects';
import { ACCEPTED, type CaseEnd, checkMessage, MAX_CAUSE_LENGTH, refused } from '../fuzz-case';
import { BASE_FILES, type NamedTensors } from './base-files';
import { checkTensors, sameTensors } from './expected-tensors';
import { headerChoice } from './header-cases';
import { hasSeal, partsOf } from './header-file';

type Writers = 'callers' | 'functions';

type Reading = { readonly tensors: NamedTensors } | { readonly refusal: string };

const KEY = 'file';

export async function runCase(filePath: string, choice: number): Promise<CaseEnd> {
  const { isSealed, firstReadBytes } = headerChoice(choice);
  const file = new Uint8Array(fs.readFileSync(filePath));
  const client = await reading(() => decodeTensors(file));
  const callers = await stored(file, 'callers', firstReadBytes);
  const functions = await stored(file, 'functions', firstReadBytes);
  for (const each of [client, callers, functions]) if ('tensors' in each) checkTensors(file, each.tensors);

  const isValid = 'tensors' in client;
  const isChecked = file.byteLength >= 8 && hasSeal(partsOf(file).header);
  if ('tensors' in callers !== isValid || 'tensors' in functions !== (isValid && isChecked)) {
    const described = [client, callers, functions].map((each) =>
      'refusal' in each ? each.refusal : 'accepted',
    );
    throw new Error(`readers that disagree: ${described.join('; ')}`);
  }
  if (!isValid) return refused(client.refusal);
  // The header's checksum covers names, types, shapes and the checksums of the tensors.
  if (isChecked && !isSealed && !BASE_FILES.some((base) => sameTensors(base.tensors, client.tensors)))
    throw new Error('changed tensors with their old checksums');
  return ACCEPTED;
}

async function stored(file: Uint8Array, writers: Writers, firstReadBytes: number): Promise<Reading> {
  const objects = new MemoryObjects();
  objects.put(KEY, file);
  const store = new SafetensorsStore(objects, 'bucket', { writers, firstReadBytes });
  const result = await reading(async () => {
    const reader = await store.open(KEY);
    const names = [...reader.heads.keys()];
    const all = await reader.read(names);
    const some = await (await store.open(KEY)).read(names.filter((_, index) => index % 2 === 1));
    const isSame = [...some].every(([name, tensor]) => {
      const expected = all.get(name);
      return expected && sameTensors(new Map([[name, tensor]]), new Map([[name, expected]]));
    });
    if (!isSame || some.size !== Math.floor(all.size / 2))
      throw new Error('other tensors if only some are read');
    return all;
  }, writers);
  if (writers === 'callers') await checkRequest(store, 'tensors' in result ? result.tensors : undefined);
  if (objects.openBodies > 0) throw new Error(`${objects.openBodies} connections that stay open`);
  return result;
}

async function reading(
  read: () => NamedTensors | Promise<NamedTensors>,
  writers?: Writers,
): Promise<Reading> {
  try {
    return { tensors: await read() };
  } catch (error) {
    const isCorrupt =
      writers !== undefined && error instanceof NamedFailure && error.name === 'CorruptTensor';
    const isOther = writers !== 'functions' && error instanceof SafetensorsError;
    if (!isCorrupt && !isOther) throw error;
    checkMessage(error.message);
    return { refusal: error.message };
  }
}

/** The model takes the tensors of this base file. */
const [{ tensors: fitting }] = BASE_FILES;
const request = [...fitting].map(([name, { dtype }]) => ({ name, dtype, shape: [2, null] }));

/** A part of each string in the base file. */
const CONTENT = 'text \\"';

const MEMORY_BYTES = 128 * 1024 * 1024;

/**
 * Reads the file as the request of a model, as the first slice does.
 * @param all what the file has, if it is valid
 * @throws if the request is accepted with other tensors than those of the file, or refused without a clear cause
 */
async function checkRequest(store: SafetensorsStore, all: NamedTensors | undefined): Promise<void> {
  const input = { tensors: { kind: 'object', key: KEY }, inline: 'auto' } as const;
  try {
    const reader = await openRequest(input, { request, fixed: [] }, { store, memoryBytes: MEMORY_BYTES });
    const read = await reader.read([...reader.heads.keys()]);
    if (all === undefined || !sameTensors(read, all)) throw new Error('a request of other tensors');
  } catch (error) {
    const names: readonly string[] = [ERROR_NAMES.invalidInput, ERROR_NAMES.corruptTensor];
    if (!(error instanceof NamedFailure) || !names.includes(error.name)) throw error;
    const { message } = failureOf(error, 0);
    checkMessage(message, MAX_CAUSE_LENGTH);
    if (message.includes(CONTENT)) throw new Error(`a cause with the content of the request: ${message}`);
    if (all !== undefined && sameTensors(all, fitting)) throw new Error(`a refused request: ${message}`);
  }
}
