/**
 * Gives a mutated safetensors file to all readers: the client's, and that of the slice functions, for a caller's file
 * and for a function's. They accept it with exactly its tensors, or refuse it with one clear error, and they agree.
 */
import * as fs from 'node:fs';
import { decodeTensors } from '../../../client';
import { NamedFailure } from '../../../lambda/errors';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { SafetensorsError } from '../../../lambda/tensors/safetensors';
import { elementCount, type RawTensor } from '../../../lambda/tensors/tensor';
import { MemoryObjects } from '../../support/memory-objects';
import { ACCEPTED, type CaseEnd, checkMessage, refused } from '../case';
import type { HeaderSettings } from './header-cases';
import { type NamedTensors, sameTensor, sameTensors } from '../same-tensors';
import { BASE_FILES, checksum, hasSeal, partsOf } from './header-file';

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
  for (const each of [client, callers, functions]) if (typeof each !== 'string') checkTensors(file, each);

  const isValid = typeof client !== 'string';
  const isChecked = hasSeal(file);
  if ((typeof callers !== 'string') !== isValid || (typeof functions !== 'string') !== (isValid && isChecked))
    throw new Error(`readers that disagree: ${[client, callers, functions].map(String).join('; ')}`);
  if (!isValid) return refused(client);
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

interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [begin: number, end: number];
}

const STRINGS = 'string_tensor.';

/**
 * Reads an accepted file with as little code as possible.
 * @throws if the library should have refused the file, or returned other tensors
 */
function checkTensors(file: Uint8Array, tensors: NamedTensors): void {
  const { header, data } = partsOf(file);
  const text = new TextDecoder('utf-8', { fatal: true }).decode(header);
  const { __metadata__: metadata = {}, ...own } = JSON.parse(text) as Record<string, object>;
  const notes = new Map(Object.entries(metadata as Record<string, string>));
  // `Object.entries`, because a tensor may have the name `__proto__`.
  const numeric = Object.entries(own) as [string, Stored][];
  const strings = [...notes.keys()].filter((key) => key.startsWith(STRINGS));
  const check = (isRight: boolean, name: string, what: string): void => {
    if (!isRight) throw new Error(`accepted ${JSON.stringify(name)} with a wrong ${what}`);
  };
  let count = 0;
  for (const [name, { dtype, shape, data_offsets: offsets }] of numeric) {
    const bytes = data.subarray(...offsets);
    const tensor = tensors.get(name);
    // Such as `F32` of float32.
    const [bits] = /\d+/.exec(tensor?.dtype ?? '') ?? ['8'];
    const code = tensor?.dtype === 'bool' ? 'BOOL' : `${tensor?.dtype.slice(0, 1).toUpperCase()}${bits}`;
    const sum = notes.get(`tensor_crc32.${name}`);
    const length = (Number(bits) / 8) * elementCount(shape);
    count += bytes.byteLength;
    check(bytes.byteLength === length && length === offsets[1] - offsets[0], name, 'length');
    check(sum === undefined || sum === checksum(bytes), name, 'checksum');
    check(code === dtype, name, 'type');
    check(sameTensor(tensor, { dtype: tensor?.dtype, shape, bytes } as RawTensor), name, 'value');
  }
  for (const key of strings) {
    const name = key.slice(STRINGS.length);
    const { shape, data: items } = JSON.parse(notes.get(key) ?? '') as { shape: number[]; data: string[] };
    check(sameTensor(tensors.get(name), { dtype: 'string', shape, strings: items }), name, 'value');
  }
  check(count === data.byteLength, 'data', 'length');
  check(tensors.size === numeric.length + strings.length, 'file', 'number of tensors');
}
