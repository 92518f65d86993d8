import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf } from '../../../lambda/errors';
import type { SliceFiles } from '../../../lambda/slice/environment';
import { SliceFetch } from '../../../lambda/slice/weights';
import { PART_BYTES } from '../../../lambda/store/ranged-read';
import { MemoryObjects } from '../../support/memory-objects';
import { sha256 } from '../../support/tiny-slice';

const model = Buffer.from('the model');
const weights = Buffer.from('the weights');

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'weights-'))));
afterEach(() => {
  rmSync(root, { recursive: true });
});

function staged(modelBytes: Uint8Array = model, weightBytes: Uint8Array = weights) {
  const objects = new MemoryObjects();
  objects.put('m', modelBytes);
  objects.put('w', weightBytes);
  const files = {
    model: { object: { bucket: 'b', key: 'm' }, sha256: sha256(modelBytes) },
    weights: { object: { bucket: 'b', key: 'w' }, sha256: sha256(weightBytes), fileName: 'slice-00.weights' },
  };
  return { objects, files };
}

async function fetchSlice(
  objects: MemoryObjects,
  files: SliceFiles,
  folder: string,
): Promise<{ path: string; bytes: number }> {
  const fetch = new SliceFetch(objects, files, folder);
  const [fetched, more] = await Promise.all([fetch.model(), fetch.weights()]);
  return { path: fetched.path, bytes: fetched.bytes + (more?.bytes ?? 0) };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

describe('SliceFetch', () => {
  it('stores the weights beside the model, under the name by which the model refers to them', async () => {
    const { objects, files } = staged();
    const { path, bytes } = await fetchSlice(objects, files, root);
    expect(bytes).toBe(model.byteLength + weights.byteLength);
    expect(readFileSync(path)).toEqual(model);
    expect(readFileSync(join(dirname(path), 'slice-00.weights'))).toEqual(weights);
  });

  it('fetches the files once', async () => {
    const { objects, files } = staged();
    const { path } = await fetchSlice(objects, files, root);
    objects.onRead = () => {
      throw new Error('read again');
    };
    expect((await fetchSlice(objects, files, root)).path).toBe(path);
  });

  it('does not mix up different weights of the same model', async () => {
    const first = staged();
    await fetchSlice(first.objects, first.files, root);
    const second = staged(model, Buffer.from('retrained'));
    const { path } = await fetchSlice(second.objects, second.files, root);
    expect(readFileSync(join(dirname(path), 'slice-00.weights'))).toEqual(Buffer.from('retrained'));
  });

  it('downloads a file in parts completely if connections break', async () => {
    const long = Buffer.alloc(2 * PART_BYTES + 12_345, 7);
    long.writeUInt32LE(99, PART_BYTES + 1);
    const { objects, files } = staged(model, long);
    objects.connectionsToBreak = 4;
    const { path } = await fetchSlice(objects, files, root);
    expect(readFileSync(join(dirname(path), 'slice-00.weights')).equals(long)).toBe(true);
  });

  it('fails with WeightsCorrupt if a file has other content, and leaves no file behind', async () => {
    const { objects, files } = staged();
    objects.put('w', Buffer.from('tampered'));
    await expect(fetchSlice(objects, files, root)).rejects.toMatchObject({
      name: 'WeightsCorrupt',
      details: { expected: sha256(weights), got: sha256(Buffer.from('tampered')) },
    });
    expect(filesBelow(root)).not.toContain('slice-00.weights');
    expect(filesBelow(root).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('reports that a file is missing or not permitted', async () => {
    const { files } = staged();
    const empty = new MemoryObjects();
    await expect(fetchSlice(empty, files, root)).rejects.toThrow(
      /s3:\/\/b\/[mw] is missing or not permitted/,
    );
  });

  it('fetches a damaged file a second time', async () => {
    const { objects, files } = staged();
    let reads = 0;
    objects.onRead = (key) => {
      if (key === 'w') objects.put('w', ++reads === 1 ? Buffer.from('damaged') : weights);
    };
    const { path } = await fetchSlice(objects, files, root);
    expect(readFileSync(join(dirname(path), 'slice-00.weights'))).toEqual(weights);
    expect(reads).toBe(2);
  });

  it('deletes the files of other slices if the disk is full', async () => {
    const { objects, files } = staged();
    const other = join(root, 'sliced-inference', 'of-another-plan');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'slice.onnx'), 'old');
    let full = true;
    objects.failure = (key) => {
      if (key !== 'w' || !full) return undefined;
      full = false;
      return Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    await fetchSlice(objects, files, root);
    expect(existsSync(other)).toBe(false);
  });

  it('says what to do if the disk is full again', async () => {
    const { objects, files } = staged();
    objects.failure = () => Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const failed = await fetchSlice(objects, files, root).catch((error: unknown) => messageOf(error));
    expect(failed).toBe('the function has no space left in /tmp: raise its ephemeral storage size');
  });
});
