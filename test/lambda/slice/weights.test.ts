import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PART_BYTES } from '../../../contract/object-reads';
import { messageOf } from '../../../lambda/errors';
import * as fileHash from '../../../lambda/store/file-hash';
import type { SliceFiles } from '../../../lambda/slice/environment';
import { SliceFetch } from '../../../lambda/slice/load';
import { MemoryObjects } from '../../support/memory-objects';
import { temporaryFolder } from '../../support/temporary-folder';
import { sha256 } from '../../support/tiny-slice';

// The thread is a file of the built code, which test/lambda/store/download.test.ts runs.
jest.mock('../../../lambda/store/file-hash', () => {
  const actual = jest.requireActual<typeof fileHash>('../../../lambda/store/file-hash');
  return { ...actual, hashInThread: jest.fn(actual.hashHere) };
});

const MODEL = Buffer.from('the model');
const WEIGHTS = Buffer.from('the weights');

let root: string;
beforeEach(() => (root = temporaryFolder()));

function staged(weights: Uint8Array = WEIGHTS) {
  const objects = new MemoryObjects();
  objects.put('m', MODEL);
  objects.put('w', weights);
  const files = {
    model: { object: { bucket: 'b', key: 'm' }, sha256: sha256(MODEL) },
    weights: { object: { bucket: 'b', key: 'w' }, sha256: sha256(weights), fileName: 'slice-00.weights' },
  };
  return { objects, files };
}

/** The model's path and the bytes of both files after a fetch. */
async function fetched({ objects, files }: { objects: MemoryObjects; files: SliceFiles }, memoryMb = 512) {
  const fetch = new SliceFetch(objects, { files, memoryBytes: memoryMb * 2 ** 20 }, root);
  const [{ path }] = await Promise.all([fetch.model(), fetch.weights()]);
  return { path, model: readFileSync(path), weights: readFileSync(join(dirname(path), 'slice-00.weights')) };
}

describe('SliceFetch', () => {
  it('stores the weights beside the model, under the name by which the model refers to them, once', async () => {
    const slice = staged();
    const first = await fetched(slice);
    expect(first).toMatchObject({ model: MODEL, weights: WEIGHTS });
    slice.objects.onRead = () => {
      throw new Error('read again');
    };
    expect(await fetched(slice)).toEqual(first);
  });

  it('does not mix up different weights of the same model', async () => {
    await fetched(staged());
    const retrained = Buffer.from('retrained');
    expect((await fetched(staged(retrained))).weights).toEqual(retrained);
  });

  it('downloads a file in parts completely if connections break', async () => {
    const long = Buffer.alloc(2 * PART_BYTES + 12_345, 7);
    long.writeUInt32LE(99, PART_BYTES + 1);
    const slice = staged(long);
    slice.objects.connectionsToBreak = 4;
    expect((await fetched(slice)).weights.equals(long)).toBe(true);
  });

  // Lambda gives one vCPU for each 1,769 MB.
  it.each([
    [1769, 4, 0],
    [1770, 4, 1],
    [1770, 3, 0],
  ])('with %i MB, hashes a file of %i parts in %i threads', async (memoryMb, parts, threads) => {
    jest.mocked(fileHash.hashInThread).mockClear();
    const weights = Buffer.alloc(parts * PART_BYTES, 5);
    expect((await fetched(staged(weights), memoryMb)).weights.equals(weights)).toBe(true);
    expect(fileHash.hashInThread).toHaveBeenCalledTimes(threads);
  });

  it('fetches a damaged file a second time', async () => {
    const slice = staged();
    let reads = 0;
    const names: string[] = [];
    slice.objects.onRead = (key) => {
      names.push(...readdirSync(root, { recursive: true, encoding: 'utf8' }));
      if (key === 'w') slice.objects.put('w', ++reads === 1 ? Buffer.from('damaged') : WEIGHTS);
    };
    expect((await fetched(slice)).weights).toEqual(WEIGHTS);
    expect(reads).toBe(2);
    // A process that is killed leaves no half of a file under its name.
    expect(names.filter((name) => name.endsWith('slice-00.weights'))).toEqual([]);
    // Nothing stays of the first attempt.
    expect(readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith('.part'))).toEqual(
      [],
    );
  });

  it('deletes the files of other slices and processes if the disk is full, and says what to do if it is full again', async () => {
    const slice = staged();
    const { path } = await fetched(slice);
    rmSync(join(dirname(path), 'slice-00.weights'));
    const part = `${path}.of-a-killed-process.0.part`;
    writeFileSync(part, 'half');
    const other = join(root, 'sliced-inference', 'of-another-plan');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'slice.onnx'), 'old');
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    let failures = 1;
    slice.objects.failure = (key) => (key === 'w' && failures-- > 0 ? full : undefined);
    await fetched(slice);
    expect([other, part].filter((file) => existsSync(file))).toEqual([]);

    slice.objects.failure = () => full;
    root = temporaryFolder();
    const failed = await fetched(slice).catch((error: unknown) => messageOf(error));
    expect(failed).toBe('the function has no space left in /tmp: raise its ephemeral storage size');
  });
});
