/** The same model, props and library version give the same cloud assembly byte for byte, on any machine. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Slicing } from '../../../lib';
import { builtFile } from '../../../lib/host/package-files';
import { MLP_PATH, addPipeline, newStack, shortTemplate } from '../../support/pipeline-stack';
import { temporaryFolder } from '../../support/model-builder';

/** A CDK app that runs in its own process with the built package, like a user's app. */
const APP = `
  const { App, Stack } = require(${JSON.stringify(require.resolve('aws-cdk-lib'))});
  const { SlicedInferencePipeline, Slicing } = require(${JSON.stringify(builtFile('lib/index.js'))});
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  new SlicedInferencePipeline(stack, 'Pipeline', { modelPath: 'model.onnx', slicing: Slicing.count(3) });
`;

/** Synthesizes in a new folder with a copy of the model, and returns the folder of the assembly. */
function synthesize(environment: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  fs.copyFileSync(MLP_PATH, path.join(folder, 'model.onnx'));
  const outdir = path.join(folder, 'out');
  const app = spawnSync(process.execPath, ['-e', `${APP} stack.node.root.synth();`], {
    cwd: folder,
    env: { PATH: process.env.PATH, CDK_OUTDIR: outdir, CDK_VALIDATION: 'false', ...environment },
    encoding: 'utf8',
  });
  if (app.status !== 0) throw new Error(app.stderr);
  return outdir;
}

function filesOf(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

test('the assembly is the same in another folder, process and environment', () => {
  const one = synthesize({ SLICED_INFERENCE_CACHE: temporaryFolder(), TZ: 'UTC', LANG: 'C' });
  const two = synthesize({
    SLICED_INFERENCE_CACHE: '',
    TMPDIR: temporaryFolder(),
    TZ: 'Asia/Kolkata',
    LANG: 'tr_TR.UTF-8',
  });
  const files = filesOf(one);
  expect(files.length).toBeGreaterThan(20);
  expect(filesOf(two)).toEqual(files);
  const differing = files.filter(
    (file) => !fs.readFileSync(path.join(one, file)).equals(fs.readFileSync(path.join(two, file))),
  );
  expect(differing).toEqual([]);
});

test('further pipelines in the stack do not change the resources of the first', () => {
  const alone = newStack();
  addPipeline(alone, 'One', { slicing: Slicing.count(3) });
  const together = newStack();
  addPipeline(together, 'Zero', { slicing: Slicing.count(2) });
  addPipeline(together, 'One', { slicing: Slicing.count(3) });
  addPipeline(together, 'Two', { slicing: Slicing.count(4) });
  const resources = (stack: typeof alone): Record<string, unknown> =>
    shortTemplate(stack).template.toJSON().Resources as Record<string, unknown>;
  const before = resources(alone);
  expect(Object.keys(before).length).toBeGreaterThan(10);
  const after = resources(together);
  for (const [id, resource] of Object.entries(before)) expect(after[id]).toEqual(resource);
});
