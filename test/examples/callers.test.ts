/** The caller of the examples runs unchanged against `sliced-inference local`, with the application's own AWS SDK if there is one. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { format, promisify } from 'node:util';
import { toNestedArray } from '../../client';
import { serve, type Served } from '../support/example';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { synthesize } from '../support/pipeline-assembly';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

const ROOT = path.join(__dirname, '../..');
const ROW = Array.from({ length: 16 }, (_, index) => index / 8);
const chain = saveModel(mlp(3));

/** As console.log prints it. */
async function expectedText(): Promise<string> {
  const outputs = await runWhole(chain, new Map([['x', float32([1, 16], ROW)]]));
  return `${format('y', ...Array.from(outputs.values(), toNestedArray))}\n`;
}

const PACKAGE = { name: 'cdk-sliced-inference', exports: { './client': './client.js' } };

/** Returns the caller in the folder of an application that has the package, and these packages of the SDK. */
function application(sdks: readonly string[]): string {
  const folder = temporaryFolder();
  const installed = path.join(folder, 'node_modules/cdk-sliced-inference');
  fs.mkdirSync(installed, { recursive: true });
  fs.writeFileSync(path.join(installed, 'package.json'), JSON.stringify(PACKAGE));
  for (const file of ['client.js', 'bundled-sdk.mjs']) {
    fs.copyFileSync(path.join(ROOT, 'dist/bundle', file), path.join(installed, file));
  }
  for (const name of sdks) {
    const sdk = path.join(folder, 'node_modules', name);
    fs.mkdirSync(sdk, { recursive: true });
    const own = JSON.stringify(path.join(ROOT, 'node_modules', name));
    fs.writeFileSync(
      path.join(sdk, 'index.js'),
      `console.error('own ${name}');\nmodule.exports = { ...require(${own}) };\n`,
    );
  }
  const script = path.join(folder, 'infer.js');
  fs.copyFileSync(path.join(ROOT, 'dist/examples/callers/infer.js'), script);
  return script;
}

describe('the caller of a pipeline', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(synthesize({ Test: { modelPath: chain, slices: 2 } }));
  });
  afterAll(async () => {
    expect(await served.stop()).toMatchObject({ stderr: '', leftovers: [] });
  });

  it.each([
    ['without the AWS SDK', [], ''],
    ['with its own AWS SDK', ['@aws-sdk/client-sfn', '@aws-sdk/client-s3'], 'own @aws-sdk/client-sfn\n'],
  ])('prints the results of the whole model in an application %s', async (_, sdks, stderr) => {
    // The SDK warns of an old Node.js.
    const args = ['--no-warnings', application(sdks), JSON.stringify({ x: [ROW] })];
    const called = await promisify(execFile)(process.execPath, args, { env: served.environment });
    expect(called).toEqual({ stdout: await expectedText(), stderr });
  });
});
