/** An edit of a staged file in `cdk.out`, which is a hard link into the cache, is never deployed by a later synthesis. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import {
  type SlicedInferencePipelineProps,
  SlicedInferencePipeline,
  SlicedModel,
  Slicing,
} from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { errorOf } from '../../support/pipeline-stack';
import { writtenPlan } from '../../support/written-plan';

const MODEL = saveModel(mlp(4));

let cache: string;
beforeEach(() => {
  cache = temporaryFolder();
  process.env.SLICED_INFERENCE_CACHE = cache;
});

const cutAtSynth = () => ({ modelPath: MODEL, dimensions: { batch: 1 }, slicing: Slicing.count(2) });

function synthesize(outdir: string, props: SlicedInferencePipelineProps = cutAtSynth()): void {
  const app = new App({ outdir, analyticsReporting: false });
  new SlicedInferencePipeline(new Stack(app, 'Stack'), 'Pipeline', props);
  app.synth();
}

/** Paths of the staged weights. */
function stagedWeights(outdir: string): string[] {
  return fs
    .readdirSync(outdir)
    .filter((name) => name.endsWith('.weights'))
    .map((name) => path.join(outdir, name));
}

const sha256 = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const digests = (outdir: string): Record<string, string> =>
  Object.fromEntries(stagedWeights(outdir).map((file) => [path.basename(file), sha256(file)]));

/** Changes a byte in place, and restores the permissions and the times. */
function edit(file: string): void {
  const { atime, mtime, mode } = fs.statSync(file);
  fs.chmodSync(file, 0o644);
  const descriptor = fs.openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  fs.readSync(descriptor, byte, 0, 1, 5);
  fs.writeSync(descriptor, Buffer.from([byte[0] ^ 1]), 0, 1, 5);
  fs.closeSync(descriptor);
  fs.utimesSync(file, atime, mtime);
  fs.chmodSync(file, mode);
}

test('an edited file of the same assembly gets the right bytes again', () => {
  const outdir = temporaryFolder();
  synthesize(outdir);
  const before = digests(outdir);
  edit(stagedWeights(outdir)[0]);
  expect(digests(outdir)).not.toEqual(before);
  synthesize(outdir);
  expect(digests(outdir)).toEqual(before);
});

test('another assembly from the same cache gets the right bytes', () => {
  const [first, second] = [temporaryFolder(), temporaryFolder()];
  synthesize(first);
  const before = digests(first);
  edit(stagedWeights(first)[0]);
  synthesize(second);
  expect(digests(second)).toEqual(before);
});

test('a file that CDK would leave empty gets its bytes', () => {
  const outdir = temporaryFolder();
  synthesize(outdir);
  const before = digests(outdir);
  // CDK leaves an empty file in the folder that it bundled into, and would stage that file next.
  fs.rmSync(stagedWeights(outdir)[0]);
  synthesize(outdir);
  expect(digests(outdir)).toEqual(before);
});

test('a lost bundling folder does not bring an edit back', () => {
  const outdir = temporaryFolder();
  synthesize(outdir);
  const before = digests(outdir);
  const [file] = stagedWeights(outdir);
  edit(file);
  for (const name of fs.readdirSync(outdir)) {
    const folder = path.join(outdir, name);
    if (fs.statSync(folder).isDirectory()) fs.rmSync(folder, { recursive: true });
  }
  synthesize(outdir);
  expect(digests(outdir)).toEqual(before);
});

test('an edit of a link to a sliced model in a folder is refused', () => {
  const { folder } = writtenPlan(compile(MODEL, count(2), { dimensions: { batch: 1 } }));
  const outdir = temporaryFolder();
  synthesize(outdir, { slicedModel: SlicedModel.fromDirectory(folder) });
  edit(stagedWeights(outdir)[0]);
  expect(errorOf(() => SlicedModel.fromDirectory(folder))).toMatch(
    /^slice file '.*\.weights' must have the \d+ bytes that its plan lists, got other bytes: copy it again, or slice the model again$/,
  );
});

test.each(['the same assembly', 'another assembly'])(
  'a second synthesis into %s reads no stored file',
  (where) => {
    const outdir = temporaryFolder();
    synthesize(outdir);
    synthesize(temporaryFolder());
    // A wrong digest makes the library write the file anew, which proves that it has not read the file.
    const known = path.join(cache, 'digests');
    const wrong = JSON.stringify({ writtenAt: Date.now(), digest: 'wrong' });
    for (const entry of fs.readdirSync(known)) fs.writeFileSync(path.join(known, entry), wrong);
    const stored = (): bigint[] =>
      fs
        .readdirSync(path.join(cache, 'slices'))
        .map((name) => fs.statSync(path.join(cache, 'slices', name), { bigint: true }).mtimeNs);
    const before = stored();
    synthesize(where === 'the same assembly' ? outdir : temporaryFolder());
    const after = stored();
    expect(after.filter((changed, index) => changed !== before[index])).toHaveLength(before.length);
  },
);

test('the cache keeps one digest for each of its files', () => {
  for (let round = 0; round < 3; round++) synthesize(temporaryFolder());
  const files = fs.readdirSync(path.join(cache, 'slices')).length;
  const code = fs.readdirSync(path.join(cache, 'digests')).length - files;
  synthesize(temporaryFolder());
  expect(fs.readdirSync(path.join(cache, 'digests'))).toHaveLength(files + code);
});
