// Calls a pipeline from ES modules, with the installed package: as Node.js loads it, and as esbuild bundles it.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build } from 'esbuild';

const CALLER = `import * as fs from 'node:fs';
import { InferenceError, SlicedInferenceClient, decodeTensors } from 'cdk-sliced-inference/client';

async function main() {
  const model = new SlicedInferenceClient({ stateMachineArn: process.env.STATE_MACHINE_ARN });
  const { outputs } = await model.infer(decodeTensors(fs.readFileSync('x.safetensors')));
  const [{ data }] = Object.values(outputs);
  fs.writeFileSync(process.env.OUT, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const refused = await model.infer({}).catch((error) => error);
  if (!(refused instanceof InferenceError)) throw refused;
  await model.close();
}
void main();
`;

/** A file for each way to load the package, by the name of that way. */
const CALLERS = {
  'an ES module': 'caller.mjs',
  "esbuild's ES module": 'caller-bundled.mjs',
  "esbuild's CommonJS": 'caller-bundled.cjs',
};

/**
 * @param app has the package, the inputs in x.safetensors, and no AWS SDK
 * @returns for each caller its name and the bytes of the first output
 */
export async function callFromEsModules(app, cloud) {
  const [source, ...bundles] = Object.values(CALLERS).map((file) => path.join(app.folder, file));
  fs.writeFileSync(source, CALLER);
  for (const outfile of bundles) {
    await build({
      ...{ entryPoints: [source], outfile, format: outfile.endsWith('.mjs') ? 'esm' : 'cjs' },
      ...{ bundle: true, platform: 'node', target: 'node20', logLevel: 'error' },
    });
  }
  const calls = [];
  for (const [name, file] of Object.entries(CALLERS)) {
    const out = path.join(app.folder, `${file}.out`);
    // Not synchronously: the local cloud answers from this process.
    const { status } = await app.start(process.execPath, [file], { ...variablesOf(cloud), OUT: out });
    if (status !== 0) throw new Error(`${name} must call the pipeline, got exit code ${status}`);
    calls.push([name, fs.readFileSync(out)]);
  }
  return calls;
}

function variablesOf({ s3, stepFunctions, pipeline }) {
  return {
    STATE_MACHINE_ARN: pipeline.stateMachineArn,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_SFN: stepFunctions.endpoint,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...(s3.certificateAuthority && { NODE_EXTRA_CA_CERTS: s3.certificateAuthority.file }),
  };
}
