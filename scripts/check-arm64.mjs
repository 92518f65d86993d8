// Runs the slice functions for arm64 on the files that the construct deploys, under emulation on a Linux machine of another
// architecture, and compares each output with the unsliced model's, bit by bit. Run `npm run build` first.
//
// This process synthesizes the stack for arm64, as a user's machine of any architecture does. A second process runs the
// local cloud and the unsliced model. All of that second process is emulated, and so are the workers that it starts: then
// the local cloud takes itself for an arm64 machine, and needs no option for emulators.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeArm64 } from './arm64/node-arm64.mjs';

const require = createRequire(import.meta.url);
const { App, Stack } = require('aws-cdk-lib');
const { Architecture } = require('aws-cdk-lib/aws-lambda');
const { compareTensor } = require('../dist/bin/verify/difference.js');
const { RECOGNITION_DIMENSIONS, RECOGNITION_MODEL } = require('../dist/examples/ocr/models.js');
const { Session } = require('../dist/lambda/slice/session.js');
const { decodeSafetensors, encodeSafetensors } = require('../dist/lambda/tensors/safetensors.js');
const { SlicedInferencePipeline, Slicing } = require('../dist/lib/index.js');

const RUN_BOTH = fileURLToPath(new URL('arm64/run-both.mjs', import.meta.url));

/** Width of the picture. Emulated, the model takes seconds for each hundred pixels. */
const PIXELS = 160;

function synthesize(outdir) {
  const app = new App({ outdir, analyticsReporting: false });
  new SlicedInferencePipeline(new Stack(app, 'Arm64'), 'Pipeline', {
    modelPath: RECOGNITION_MODEL,
    slicing: Slicing.count(3),
    dimensions: { [RECOGNITION_DIMENSIONS.batch]: 1, [RECOGNITION_DIMENSIONS.width]: PIXELS },
    architecture: Architecture.ARM_64,
  });
  app.synth();
}

function picture() {
  const shape = [1, 3, 48, PIXELS];
  const values = Float32Array.from({ length: 3 * 48 * PIXELS }, (_, index) => Math.sin(index / 7));
  return new Map([['x', { dtype: 'float32', shape, bytes: new Uint8Array(values.buffer) }]]);
}

function readTensors(file) {
  return decodeSafetensors(fs.readFileSync(file));
}

/** Compares all outputs. Returns whether they have the same bits, and prints a line for each. */
function compare(label, expected, got) {
  return [...expected].map(([name, tensor]) => {
    const { identical, shape, maxAbsDiff } = compareTensor(name, tensor, got.get(name));
    const verdict = identical ? 'the same bits' : `other bits, maximal difference ${maxAbsDiff}`;
    console.log(`${label}: output '${name}' ${tensor.dtype}[${shape}] has ${verdict}`);
    return identical;
  });
}

function runBoth(program, args) {
  const run = spawnSync(program, [RUN_BOTH, ...args, program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0)
    throw new Error(`the run on arm64 must succeed, got exit code ${run.status}, signal ${run.signal}`);
  return JSON.parse(run.stdout);
}

async function check(folder, { program, description }) {
  console.log(`arm64 by ${description}`);
  const assembly = path.join(folder, 'cdk.out');
  const inputs = path.join(folder, 'inputs.safetensors');
  synthesize(assembly);
  fs.writeFileSync(inputs, encodeSafetensors(picture()));
  const { slices, threads, arch, version } = runBoth(program, [assembly, RECOGNITION_MODEL, inputs, folder]);
  if (arch !== 'arm64') throw new Error(`the run must be on arm64, got ${arch}`);
  console.log(`${slices} slices ran on Node.js ${version}, with ONNX Runtime on ${threads} thread(s)`);
  const whole = readTensors(path.join(folder, 'whole.safetensors'));
  const sliced = readTensors(path.join(folder, 'sliced.safetensors'));
  const identical = compare('slices against the whole model, both on arm64', whole, sliced);
  if (process.arch !== arch) {
    const session = await Session.open({ path: RECOGNITION_MODEL, threads });
    const here = await session.run(picture(), session.outputNames);
    compare(`for information, the whole model on arm64 against ${process.arch}`, here, whole);
  }
  return identical.length > 0 && identical.every(Boolean);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-arm64-'));
const start = performance.now();
try {
  const node = nodeArm64(folder);
  if (node.missing !== undefined) {
    console.log(`skipped: the check of arm64 needs ${node.missing}`);
  } else {
    if (!(await check(folder, node))) process.exitCode = 1;
    console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
