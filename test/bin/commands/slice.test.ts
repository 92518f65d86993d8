import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { SlicedModel } from '../../../lib';
import { readPlan } from '../../../lib/compile/files/read-plan';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { heavyModel } from '../../support/heavy-model';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { refuse, succeed, succeedWithJson } from '../../support/run-cli';

const model = saveModel(mlp(4));

function outFolder(): string {
  return path.join(temporaryFolder(), 'slices');
}

/** Runs `slice --json`, checks the written files and returns the plan. */
async function slice(flags: readonly string[], out = outFolder()): Promise<SlicePlan> {
  const plan = (await succeedWithJson(['slice', model, '--out', out, ...flags])) as SlicePlan;
  expect(JSON.parse(fs.readFileSync(path.join(out, 'plan.json'), 'utf8'))).toEqual(plan);
  const files = plan.slices.flatMap(({ model: graph, weights }) => [graph, ...(weights ? [weights] : [])]);
  expect(fs.readdirSync(out).sort()).toEqual([...files.map(({ file }) => file), 'plan.json'].sort());
  for (const { file, bytes } of files) expect(fs.statSync(path.join(out, file)).size).toBe(bytes);
  expect(fs.readdirSync(path.dirname(out))).toEqual([path.basename(out)]);
  return plan;
}

function outputNames(plan: SlicePlan): string[][] {
  return plan.slices.map(({ outputs }) => outputs.map(({ name }) => name));
}

describe('slice', () => {
  it('prints the slices as a table', async () => {
    const out = outFolder();
    expect(await succeed(['slice', model, '--at-tensors', 't0', '--out', out])).toBe(
      [
        'slice  nodes  weights  memory  reads',
        '    0      3  1.06 KB  512 MB  x float32[batch,16]',
        '    1      9  3.19 KB  512 MB  t0 float32[batch,16]',
        `written to ${out}`,
        '',
      ].join('\n'),
    );
  });

  it('warns of calls and cold runs that may take longer than AWS allows', async () => {
    const args = [heavyModel(600), '--dimension', 'rows=100000', '--slices', '1', '--out'];
    const warnings = async (...flags: string[]) =>
      (await succeed(['slice', ...args, outFolder(), ...flags])).split('\n').slice(3, -1);
    const call = expect.stringMatching(
      /^warning: a cold call of slice-0\d takes .* after 900 seconds: use more/,
    ) as unknown;
    const run = expect.stringMatching(
      /^warning: a run whose functions are all cold takes .* after 300 seconds: use a/,
    ) as unknown;
    expect(await warnings()).toEqual([call, run]);
    expect(await warnings('--state-machine', 'standard')).toEqual([call]);
  });

  it.each([
    [['--slices', '5'], 5],
    [['--slices', '12'], 12],
    [['--max-slice-size', '2.2KB'], 2],
    [['--max-memory', '512'], 1],
  ])('with %j makes %d slices', async (flags, count) => {
    const { slices } = await slice(flags);
    expect(slices).toHaveLength(count);
    if (!flags.includes('--max-slice-size')) return;
    for (const { weightBytes } of slices) expect(weightBytes).toBeLessThanOrEqual(2.2 * 1024);
  });

  it('--at-tensors cuts after each tensor, in any order and form', async () => {
    const cut = [['t0'], ['a2'], ['y']];
    expect(outputNames(await slice(['--at-tensors', 'a2', 't0']))).toEqual(cut);
    expect(outputNames(await slice(['--at-tensors', 't0,a2']))).toEqual(cut);
    expect(outputNames(await slice(['--at-tensors', 't0', '--at-tensors', 'a2']))).toEqual(cut);
  });

  it('--slicing-plan reuses the cuts of an earlier plan, also for other weights', async () => {
    const out = outFolder();
    const plan = await slice(['--slices', '3'], out);
    const flags = ['--slicing-plan', path.join(out, 'plan.json')];
    expect(await slice(flags)).toEqual(plan);
    const again = await succeedWithJson(['slice', saveModel(mlp(4, 8)), '--out', outFolder(), ...flags]);
    expect((again as SlicePlan).slices.map(({ nodes }) => nodes)).toEqual(
      plan.slices.map(({ nodes }) => nodes),
    );
  });

  it('creates the parents of the output folder, also in the working directory or behind a link', async () => {
    const top = temporaryFolder();
    await slice(['--slices', '2'], path.join(top, 'a/b/c'));
    expect(fs.readdirSync(top)).toEqual(['a']);
    fs.symlinkSync('far', path.join(top, 'near'));
    await succeed(['slice', model, '--slices', '2', '--out', path.join(top, 'near')]);
    expect(fs.readlinkSync(path.join(top, 'near'))).toBe('far');
    await succeed(['slice', model, '--out', '.'], { cwd: path.join(top, 'far') });
    expect(fs.readdirSync(path.join(top, 'far'))).toEqual(expect.arrayContaining(['plan.json']));
  });

  it('replaces an earlier plan, and writes the same bytes each time', async () => {
    const [first, second] = [outFolder(), outFolder()];
    await slice(['--slices', '5'], first);
    await slice(['--slices', '3'], first);
    await slice(['--slices', '3'], second);
    for (const file of fs.readdirSync(first))
      expect(fs.readFileSync(path.join(second, file))).toEqual(fs.readFileSync(path.join(first, file)));
  });

  it('names the files by their SHA-256 for a bucket, and replaces them', async () => {
    const out = outFolder();
    const output = await succeed(['slice', model, '--slices', '2', '--out', out, '--for-bucket']);
    expect(output).toContain(
      `\nnext: aws s3 sync ${out} s3://BUCKET/PREFIX --size-only --exclude plan.json\n`,
    );
    const plan = readPlan(path.join(out, 'plan.json'));
    const files = plan.slices.flatMap(({ model: own, weights }) => (weights ? [own, weights] : [own]));
    const names = files.map((file) => `${file.sha256}${path.extname(file.file)}`);
    expect(fs.readdirSync(out).sort()).toEqual([...new Set(names), 'plan.json'].sort());
    for (const [index, name] of names.entries()) {
      const bytes = fs.readFileSync(path.join(out, name));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(files[index].sha256);
    }
    const bucket = new Bucket(new Stack(new App(), 'Stack'), 'Models');
    expect(() => SlicedModel.fromBucket(bucket, 'ocr', path.join(out, 'plan.json'))).not.toThrow();
    await slice(['--slices', '2'], out);
    expect(fs.readdirSync(out)).toContain('slice-00.onnx');
    expect(fs.readdirSync(out)).toHaveLength(names.length + 1);
  });

  const TO_BUCKET = 'write to a folder with --for-bucket, and upload it with `aws s3 sync`';
  it.each([
    ['s3://bucket/a', TO_BUCKET],
    ['S3://bucket/a', TO_BUCKET],
    ['s3:bucket', TO_BUCKET],
    ['', 'pass the path of a folder'],
  ])('does not take %j for a folder', async (out, remedy) => {
    const message = `--out must name a folder, got '${out}': ${remedy}`;
    expect(await refuse(['slice', saveModel(mlp(1)), '--out', out])).toBe(message);
  });
});
