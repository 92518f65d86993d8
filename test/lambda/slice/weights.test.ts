import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PART_BYTES } from '../../../lambda/store/ranged-read';
import { fetchSlice } from '../../../lambda/slice/weights';
import { MemoryObjects } from '../memory-objects';
import { sha256 } from '../tiny-slice';

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

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

describe("a slice's files", () => {
  it('lie side by side under the name by which the model refers to its weights', async () => {
    const { objects, files } = staged();
    const { path, bytes } = await fetchSlice(objects, files, root);
    expect(bytes).toBe(model.byteLength + weights.byteLength);
    expect(readFileSync(path)).toEqual(model);
    expect(readFileSync(join(dirname(path), 'slice-00.weights'))).toEqual(weights);
  });

  it('are fetched once', async () => {
    const { objects, files } = staged();
    const { path } = await fetchSlice(objects, files, root);
    objects.onRead = () => {
      throw new Error('read again');
    };
    expect((await fetchSlice(objects, files, root)).path).toBe(path);
  });

  it('do not mix with other weights of the same model', async () => {
    const first = staged();
    await fetchSlice(first.objects, first.files, root);
    const second = staged(model, Buffer.from('retrained'));
    const { path } = await fetchSlice(second.objects, second.files, root);
    expect(readFileSync(join(dirname(path), 'slice-00.weights'))).toEqual(Buffer.from('retrained'));
  });

  it('come in parts, whole and right, over connections that break', async () => {
    const long = Buffer.alloc(2 * PART_BYTES + 12_345, 7);
    long.writeUInt32LE(99, PART_BYTES + 1);
    const { objects, files } = staged(model, long);
    objects.connectionsToBreak = 4;
    const { path } = await fetchSlice(objects, files, root);
    expect(readFileSync(join(dirname(path), 'slice-00.weights')).equals(long)).toBe(true);
  });

  it('of another content are WeightsCorrupt and leave nothing behind', async () => {
    const { objects, files } = staged();
    objects.put('w', Buffer.from('tampered'));
    await expect(fetchSlice(objects, files, root)).rejects.toMatchObject({
      name: 'WeightsCorrupt',
      details: { expected: sha256(weights), got: sha256(Buffer.from('tampered')) },
    });
    expect(filesBelow(root)).not.toContain('slice-00.weights');
    expect(filesBelow(root).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('that are missing say so, and that it may be a matter of permission', async () => {
    const { files } = staged();
    const nothing = new MemoryObjects();
    await expect(fetchSlice(nothing, files, root)).rejects.toThrow(
      /s3:\/\/b\/[mw] is missing or not permitted/,
    );
  });
});
