// Runs a synthesized pipeline in the local cloud, and its whole model in ONNX Runtime, on the same inputs:
// node run-both.mjs ASSEMBLY MODEL INPUTS FOLDER NODE
// INPUTS is a .safetensors file. FOLDER receives sliced.safetensors and whole.safetensors. Prints JSON.
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

const require = createRequire(import.meta.url);
const { Session } = require('../dist/lambda/slice/session.js');
const { decodeSafetensors, encodeSafetensors } = require('../dist/lambda/tensors/safetensors.js');
const { LocalCloud, infer } = require('../dist/local/index.js');

const [assembly, model, inputsFile, folder, node] = process.argv.slice(2);

// The local cloud starts its workers with this program. Under emulation, the program of this process itself would be a
// file for arm64, which the machine's kernel cannot start.
process.execPath = node;

function write(name, tensors) {
  fs.writeFileSync(path.join(folder, name), encodeSafetensors(tensors));
}

const inputs = decodeSafetensors(fs.readFileSync(inputsFile));
const cloud = await LocalCloud.start(assembly);
try {
  const result = await infer(cloud, inputs);
  if (result.status === 'FAILED') throw new Error(`${result.error}: ${result.cause}`);
  write('sliced.safetensors', result.outputs);
  const threads = Number(cloud.pipeline.signature.threads);
  const session = await Session.open({ path: model, threads });
  write('whole.safetensors', await session.run(inputs, session.outputNames));
  const { arch, version } = process;
  console.log(JSON.stringify({ slices: result.execution.timings.length, threads, arch, version }));
} finally {
  await cloud.close();
}
