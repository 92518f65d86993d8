/** An edit of a staged file in `cdk.out`, which is a hard link into the cache, is never deployed by a later synthesis. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import type { SlicedInferencePipelineProps } from '../../../lib';
import { SlicedInferencePipeline, SlicedModel, Slicing } from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/search/slicers';
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

test('a second synthesis reads no stored file, into the same assembly or another one', () => {
  const [first, second] = [temporaryFolder(), temporaryFolder()];
  synthesize(first);
  const stored = fs.readdirSync(path.join(cache, 'slices'));
  const opened: string[] = [];
  const open = fs.openSync;
  const spy = jest.spyOn(fs, 'openSync').mockImplementation((...args) => {
    opened.push(path.basename(String(args[0])));
    return open(...args);
  });
  try {
    synthesize(first);
    synthesize(second);
    synthesize(second);
  } finally {
    spy.mockRestore();
  }
  expect(stored.length).toBeGreaterThan(2);
  expect(opened.filter((name) => stored.includes(name))).toEqual([]);
});
