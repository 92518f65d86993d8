/** `cdk destroy` of an example deletes its bucket, although requests and results are in it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CopiedExample } from '../support/copied-example';
import { bucketsOf } from '../support/leftover-buckets';
import { encodeModel } from '../support/model-builder';
import { smallMiniLm } from '../support/small-minilm';

const EXAMPLES = path.join(__dirname, '../../examples');

/** Their own tests check it: they bundle functions, which needs the packages of the repository's folder. */
const CHECKED_ELSEWHERE = ['handlers', 'ocr'];

/** What the reader runs before `cdk synth`. */
const MODELS: Partial<Record<string, (example: CopiedExample) => unknown>> = {
  quickstart: (example) => example.run('make-model'),
  'large-transformer': (example) => example.run('write-model', ['--gigabytes', '0.02', '--hidden', '256']),
  embeddings: ({ folder }) => {
    fs.mkdirSync(path.join(folder, 'minilm'));
    fs.writeFileSync(path.join(folder, 'minilm/model.onnx'), encodeModel(smallMiniLm(100)));
  },
};

const apps = fs
  .readdirSync(EXAMPLES)
  .filter((name) => fs.existsSync(path.join(EXAMPLES, name, 'app.ts')) && !CHECKED_ELSEWHERE.includes(name));

it.each(apps)('the stack of %s empties the bucket that it deletes', async (name) => {
  const example = new CopiedExample(name);
  await MODELS[name]?.(example);
  expect(bucketsOf(await example.synthesize())).toEqual({ deleted: 1, leftover: [] });
});
