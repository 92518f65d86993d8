// Cuts a model and compares the slices with the whole model, bit by bit, on arm64: `sliced-inference verify` with the Node.js and the ONNX
// Runtime for arm64, under emulation on a Linux machine of another architecture. Run `npm run build` first.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { problem, writeNode } from '../bench/processors/emulated-node.mjs';

const require = createRequire(import.meta.url);
const { RECOGNITION_DIMENSIONS, RECOGNITION_MODEL } = require('../dist/examples/ocr/models.js');

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Those of Graviton2 to 4, which have other kernels. On arm64, the machine's own is checked once. */
const EMULATED = ['neoverse-n1', 'neoverse-v1', 'neoverse-v2'];
const PROCESSORS = process.arch === 'arm64' ? EMULATED.slice(0, 1) : EMULATED;

/** Width of the picture in pixels. Emulated, the model takes seconds for each hundred of them. */
const { batch, width } = RECOGNITION_DIMENSIONS;
const VERIFY = [
  ...['verify', RECOGNITION_MODEL, '--slices', '3', '--architecture', 'arm64'],
  ...['--dimension', `${batch}=1`, '--dimension', `${width}=160`],
];

const missing = problem(PROCESSORS[0]);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-arm64-'));
try {
  if (missing !== undefined) console.log(`skipped: the check of arm64 needs ${missing}`);
  else {
    const cli = path.join(ROOT, 'dist/bundle/sliced-inference.js');
    for (const processor of PROCESSORS) {
      if (process.arch !== 'arm64') console.log(`${processor}, emulated:`);
      const stdio = ['ignore', 'inherit', 'inherit'];
      const { status } = spawnSync(writeNode(folder, processor), [cli, ...VERIFY], { stdio });
      process.exitCode ||= status ?? 1;
    }
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
