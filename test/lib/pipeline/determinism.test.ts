/** The same model, props and library version give the same cloud assembly byte for byte, on any machine. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { builtFile } from '../../../lib/host/packages';
import { temporaryFolder } from '../../support/model-builder';
import { MLP_PATH } from '../../support/pipeline-stack';

/** A CDK app that runs in its own process with the built package, like a user's app. */
const APP = `
  const { App, Stack } = require(${JSON.stringify(require.resolve('aws-cdk-lib'))});
  const { SlicedInferencePipeline, Slicing } = require(${JSON.stringify(builtFile('lib/index.js'))});
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  new SlicedInferencePipeline(stack, 'Pipeline', { modelPath: 'model.onnx', slicing: Slicing.count(3) });
  stack.node.root.synth();
`;

/** Synthesizes in a new folder with a copy of the model, and returns the contents of the assembly by path. */
function synthesize(environment: Readonly<Record<string, string>>): Map<string, string> {
  const folder = temporaryFolder();
  fs.copyFileSync(MLP_PATH, path.join(folder, 'model.onnx'));
  const outdir = path.join(folder, 'out');
  const app = spawnSync(process.execPath, ['-e', APP], {
    cwd: folder,
    env: { PATH: process.env.PATH, CDK_OUTDIR: outdir, CDK_VALIDATION: 'false', ...environment },
    encoding: 'utf8',
  });
  if (app.status !== 0) throw new Error(app.stderr);
  const files = fs
    .readdirSync(outdir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(files.sort().map((file) => [path.relative(outdir, file), fs.readFileSync(file, 'latin1')]));
}

test('the assembly is the same in another folder, process and environment', () => {
  const one = synthesize({ SLICED_INFERENCE_CACHE: temporaryFolder(), TZ: 'UTC', LANG: 'C' });
  const two = synthesize({
    SLICED_INFERENCE_CACHE: '',
    TMPDIR: temporaryFolder(),
    TZ: 'Asia/Kolkata',
    LANG: 'tr_TR.UTF-8',
  });
  expect(one.size).toBeGreaterThan(20);
  expect([...two.keys()]).toEqual([...one.keys()]);
  expect([...one].filter(([file, content]) => two.get(file) !== content)).toEqual([]);
});
