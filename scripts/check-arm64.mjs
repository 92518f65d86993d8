// Cuts a model and compares the slices with the whole model, bit by bit, on arm64: `sliced-inference verify` with the Node.js and the ONNX
// Runtime for arm64, under emulation on a Linux machine of another architecture. Run `npm run build` first.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { problem, writeNode } from './emulated-node.mjs';

const require = createRequire(import.meta.url);
const { RECOGNITION_DIMENSIONS, RECOGNITION_MODEL } = require('../dist/examples/ocr/models.js');

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** That of Graviton2. QEMU's default has all extensions, so ONNX Runtime would choose other kernels. */
const PROCESSOR = 'neoverse-n1';

/** Width of the picture in pixels. Emulated, the model takes seconds for each hundred of them. */
const { batch, width } = RECOGNITION_DIMENSIONS;
const VERIFY = [
  ...['verify', RECOGNITION_MODEL, '--slices', '3', '--architecture', 'arm64'],
  ...['--dimension', `${batch}=1`, '--dimension', `${width}=160`],
];

const missing = problem(PROCESSOR);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-arm64-'));
try {
  if (missing !== undefined) console.log(`skipped: the check of arm64 needs ${missing}`);
  else {
    const cli = path.join(ROOT, 'dist/bundle/sliced-inference.js');
    const { status } = spawnSync(writeNode(folder, PROCESSOR), [cli, ...VERIFY], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    process.exitCode = status ?? 1;
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
