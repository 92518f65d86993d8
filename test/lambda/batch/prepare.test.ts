/** What a child of a batch runs: each request with the ETag that its result belongs to. */
import type { BatchItemsKind } from '../../../contract/batch';
import type { BatchRun, BatchSettings } from '../../../contract/batch-function';
import { prepare } from '../../../lambda/batch/prepare';
import { MemoryObjects } from '../../support/memory-objects';

const BUCKET = 'bucket';
const KEY = 'inputs/a.safetensors';

function settings(kind: BatchItemsKind): BatchSettings {
  return {
    ...{ bucket: BUCKET, deploymentDigest: 'd'.repeat(64), resultsPrefix: 'outputs/b/' },
    items: { kind, bucket: BUCKET, location: 'inputs/', folder: 'inputs/', column: 'key' },
    ...{ hasPreprocess: false, hasPostprocess: false, toleratedFailurePercentage: 100 },
  };
}

async function runOf(kind: BatchItemsKind, value: unknown, attempt = 1): Promise<BatchRun> {
  const objects = new MemoryObjects();
  await objects.write({ bucket: BUCKET, key: KEY }, [Buffer.from('now')], 0);
  const child = { Items: [{ index: 0, value }], BatchInput: { execution: 'e', attempt } };
  const { runs, rows } = await prepare(child, { settings: settings(kind), objects, requestId: 'r' });
  expect(rows).toEqual([]);
  return runs[0];
}

const etagOf = ({ request }: BatchRun) =>
  (request as { readonly inputs: { readonly etag?: string } }).inputs.etag;

it('a listed object must still have the ETag of the listing, on which the name of its result depends', async () => {
  const [old, other] = await Promise.all(
    ['"aa"', '"bb"'].map((Etag) => runOf('objects', { Key: KEY, Etag, Size: 3 })),
  );
  expect([etagOf(old), etagOf(other)]).toEqual(['"aa"', '"bb"']);
  expect(old.resultKey).not.toBe(other.resultKey);
});

it.each<[what: string, kind: BatchItemsKind, value: unknown, attempt: number]>([
  ['a redrive', 'objects', { Key: KEY, Etag: '"old"' }, 2],
  ['an inventory, which may be old', 'inventory', { Key: KEY, ETag: 'old' }, 1],
  ['a row', 'csv', { key: KEY }, 1],
  ['a line', 'jsonLines', { inputs: { s3: KEY } }, 1],
])('%s asks S3 for the ETag of today', async (_, kind, value, attempt) => {
  const etag = etagOf(await runOf(kind, value, attempt));
  expect(etag).toEqual(expect.any(String));
  expect(etag).not.toContain('old');
});

it('a line may name the ETag itself', async () => {
  const line = (etag: string) => ({ inputs: { s3: KEY, etag } });
  const [named, other] = await Promise.all(['aa', 'bb'].map((etag) => runOf('jsonLines', line(etag))));
  expect(etagOf(named)).toBe('"aa"');
  expect(named.resultKey).not.toBe(other.resultKey);
});
