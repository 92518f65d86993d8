/**
 * Gives a mutated safetensors file to all readers: the client's, and that of the slice functions, for a caller's file
 * and for a function's. They accept it with the same tensors, or refuse it with one clear error.
 * `test/lambda/tensors/safetensors-hostile.test.ts` shows what a file must be.
 */
import * as fs from 'node:fs';
import { decodeTensors } from '../../../client';
import { NamedFailure } from '../../../lambda/errors';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { SafetensorsError } from '../../../lambda/tensors/safetensors';
import { MemoryObjects } from '../../support/memory-objects';
import { ACCEPTED, type CaseEnd, checkMessage, refused } from '../case';
import type { HeaderSettings } from './header-cases';
import { type NamedTensors, sameTensor, sameTensors } from '../same-tensors';
import { BASE_FILES, hasSeal } from './header-file';

type Writers = 'callers' | 'functions';

/** Tensors, or the message of a refusal. */
type Reading = NamedTensors | string;

const KEY = 'file';

export async function runCase(filePath: string, settings: HeaderSettings): Promise<CaseEnd> {
  const { isSealed, firstReadBytes } = settings;
  const file = new Uint8Array(fs.readFileSync(filePath));
  const client = await reading(() => decodeTensors(file));
  const callers = await stored(file, 'callers', firstReadBytes);
  const functions = await stored(file, 'functions', firstReadBytes);

  const isValid = typeof client !== 'string';
  const isChecked = hasSeal(file);
  if ((typeof callers !== 'string') !== isValid || (typeof functions !== 'string') !== (isValid && isChecked))
    throw new Error(`readers that disagree: ${[client, callers, functions].map(String).join('; ')}`);
  if (!isValid) return refused(client);
  for (const each of [callers, functions])
    if (typeof each !== 'string' && !sameTensors(each, client)) throw new Error('readers of other tensors');
  // The header's checksum covers names, types, shapes and the checksums of the tensors.
  if (isChecked && !isSealed && !BASE_FILES.some(({ tensors }) => sameTensors(tensors, client)))
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
    const isSame = [...some].every(([name, tensor]) => sameTensor(tensor, all.get(name)));
    if (!isSame || some.size !== Math.floor(all.size / 2))
      throw new Error('other tensors if only some are read');
    return all;
  }, writers);
  if (objects.openBodies > 0) throw new Error(`${objects.openBodies} connections that stay open`);
  return result;
}

async function reading(
  read: () => NamedTensors | Promise<NamedTensors>,
  writers?: Writers,
): Promise<Reading> {
  try {
    return await read();
  } catch (error) {
    const isCorrupt =
      writers !== undefined && error instanceof NamedFailure && error.name === 'CorruptTensor';
    const isOther = writers !== 'functions' && error instanceof SafetensorsError;
    if (!isCorrupt && !isOther) throw error;
    checkMessage(error.message);
    return error.message;
  }
}
