import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeTensorFile } from '../../../bin/tensor-files';
import { fileWith } from '../../support/changed-json';
import { encodeModel, mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { twoInputs } from '../../support/command-models';
import { refuse } from '../../support/run-cli';
import { float32 } from '../../support/tensors';

const DOWNLOAD = 'download it and pass the path of the copy';

/** All other refusals of models and plans are those of the library, whose tests have them, for example test/lib/onnx/hostile.test.ts. */
test('a model is refused by each command in the same words, and no files are left behind', async () => {
  const folder = temporaryFolder();
  const bytes = encodeModel(mlp(3));
  const truncated = fileWith(bytes.subarray(0, bytes.length / 2), 'model.onnx');
  const lines = await Promise.all([
    refuse(['inspect', truncated]),
    refuse(['plan', truncated, '--report', path.join(folder, 'report.html')]),
    refuse(['slice', truncated, '--out', path.join(folder, 'a/b')]),
    refuse(['verify', truncated]),
  ]);
  expect(fs.readdirSync(folder)).toEqual([]);
  expect(new Set(lines).size).toBe(1);
  expect(lines[0]).toMatch(/got a truncated file of \d+ bytes \(.*\): copy or download it again$/);
});

test('verify refuses inputs that do not match the model, are malformed or in S3', async () => {
  const two = saveModel(twoInputs());
  const inputs = path.join(temporaryFolder(), 'inputs.npz');
  await writeTensorFile(inputs, new Map([['x', float32([2, 4])]]));
  const line = (name: string) => refuse(['verify', two, '--slices', '2', '--inputs', name]);
  expect(await line(inputs)).toContain("input 'ids' int64[batch,1] is missing: the request has 'x'");
  expect(await line(fileWith('{', 'x.json'))).toContain('text that is not JSON');
  expect(await line('s3://bucket/x.npz')).toBe(
    `tensor file 's3://bucket/x.npz' must be readable, got an S3 address: ${DOWNLOAD}`,
  );
});

test('run refuses a cloud assembly in S3', async () => {
  expect(await refuse(['run', 's3://bucket/cdk.out', '--inputs', 'x.npz', '--out', 'y.npz'])).toBe(
    `the cloud assembly 's3://bucket/cdk.out' must be a folder, got an S3 address: ${DOWNLOAD}`,
  );
});
