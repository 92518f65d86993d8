/**
 * The assets of slices: their hashes are the digests of their bytes, not CDK's own fingerprints. An edit of a staged file in `cdk.out`, which
 * is a hard link into the cache, is never deployed by a later synthesis.
 */
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
import { sliceFileAsset } from '../../../lib/aws/slice-files';
import { compile } from '../../../lib/compile/compile';
import { stageModel } from '../../../lib/compile/stage';
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
const staged = (outdir: string): string[] =>
  fs.readdirSync(outdir).flatMap((name) => (name.endsWith('.weights') ? [path.join(outdir, name)] : []));

const sha256 = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const digests = (outdir: string): Record<string, string> =>
  Object.fromEntries(staged(outdir).map((file) => [path.basename(file), sha256(file)]));

test('a slice that is missing from the cache is an error of one line', () => {
  const { plan, slices } = stageModel(MODEL, count(2));
  const file = slices[0].model;
  const stack = new Stack(new App({ outdir: temporaryFolder(), analyticsReporting: false }), 'Stack');
  fs.rmSync(file);
  expect(errorOf(() => sliceFileAsset(stack, 'Model', file, plan.slices[0].model))).toMatch(
    /slice file '.*' must be copied into the cloud assembly, got no such file or folder: free space on the disk .*$/,
  );
});

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

const damages: Record<string, (outdir: string) => void> = {
  'an edit': (outdir) => {
    edit(staged(outdir)[0]);
  },
  'an edit and the loss of the folders that CDK bundled into': (outdir) => {
    edit(staged(outdir)[0]);
    for (const entry of fs.readdirSync(outdir, { withFileTypes: true }))
      if (entry.isDirectory()) fs.rmSync(path.join(outdir, entry.name), { recursive: true });
  },
  // CDK leaves an empty file in the folder that it bundled into, and would stage that file next.
  'a removal': (outdir) => {
    fs.rmSync(staged(outdir)[0]);
  },
};

test.each(Object.entries(damages))('after %s, later syntheses have the right bytes', (_, damage) => {
  const outdir = temporaryFolder();
  synthesize(outdir);
  const before = digests(outdir);
  damage(outdir);
  expect(digests(outdir)).not.toEqual(before);
  for (const target of [temporaryFolder(), outdir]) {
    synthesize(target);
    expect(digests(target)).toEqual(before);
  }
});

test('an edit of a link to a sliced model in a folder is refused', () => {
  const { folder } = writtenPlan(compile(MODEL, count(2), { dimensions: { batch: 1 } }));
  const outdir = temporaryFolder();
  synthesize(outdir, { slicedModel: SlicedModel.fromDirectory(folder) });
  edit(staged(outdir)[0]);
  expect(errorOf(() => SlicedModel.fromDirectory(folder))).toMatch(
    /^slice file '.*\.weights' must have the \d+ bytes that its plan lists, got other bytes: /,
  );
});

test('a second synthesis reads no stored file, and the cache keeps one digest for each of its files', () => {
  const outdir = temporaryFolder();
  synthesize(outdir);
  synthesize(temporaryFolder());
  const known = path.join(cache, 'digests');
  const slices = path.join(cache, 'slices');
  const names = fs.readdirSync(known);
  synthesize(temporaryFolder());
  expect(fs.readdirSync(known)).toHaveLength(names.length);
  const stored = (): bigint[] =>
    fs.readdirSync(slices).map((name) => fs.statSync(path.join(slices, name), { bigint: true }).mtimeNs);
  for (const folder of [outdir, temporaryFolder()]) {
    // A wrong digest makes the library write the file anew, which proves that it has not read the file.
    const wrong = JSON.stringify({ writtenAt: Date.now(), digest: 'wrong' });
    for (const entry of fs.readdirSync(known)) fs.writeFileSync(path.join(known, entry), wrong);
    const before = stored();
    synthesize(folder);
    expect(stored().filter((changed, index) => changed === before[index])).toEqual([]);
  }
});
