/** The example with keys of its own, on a bootstrap bucket that has a key too. */
import { type Access, infer } from '../../local';
import { start } from '../support/deployed-pipeline';
import { Example } from '../support/example';
import { float32 } from '../support/tensors';

/** The bucket and a key of a bootstrap with a customer-managed key. */
const ASSETS = 'cdk-hnb659fds-assets-000000000000-us-east-1';
const ASSET_KEY = 'arn:aws:kms:us-east-1:000000000000:key/5e1e3ce0-6a36-4e8f-a2e0-5d3b4d5c8f11';

async function run(context: Readonly<Record<string, string>>): Promise<Access[]> {
  const accesses: Access[] = [];
  const cloud = await start(await new Example('vpc-kms').synthesize(context), {
    bucketKeys: { [ASSETS]: ASSET_KEY },
    onAccess: (access) => accesses.push(access),
  });
  const result = await infer(cloud, new Map([['pixels', float32([1, 35], Array<number>(35).fill(0))]]));
  if (result.status === 'FAILED') throw new Error(result.cause);
  return accesses;
}

it("the functions decrypt their slices with the bucket's key if the app knows it", async () => {
  const accesses = await run({ assetKey: ASSET_KEY });
  expect(accesses.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
  const decrypts = accesses.filter(
    ({ action, resource }) => action === 'kms:Decrypt' && resource === ASSET_KEY,
  );
  expect(new Set(decrypts.map(({ principal }) => principal)).size).toBe(2);
  await expect(run({})).rejects.toThrow("allow the function to use the bucket's encryption key");
});
