/** The caller of the examples runs unchanged against `sliced-inference local`, with the application's own AWS SDK if there is one. */
import { execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { toNestedArray } from '../../client';
import { serve, type Served } from '../support/example';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { synthesize } from '../support/pipeline-assembly';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

const ROOT = path.join(__dirname, '../..');
const ROW = Array.from({ length: 16 }, (_, index) => index / 8);
const chain = saveModel(mlp(3));

async function expectedText(): Promise<string> {
  const y = (await runWhole(chain, new Map([['x', float32([1, 16], ROW)]]))).get('y');
  if (y === undefined) throw new Error('the model has no output y');
  // As console.log prints it.
  const text = execFileSync(process.execPath, [
    '-e',
    'console.log("y", JSON.parse(process.argv[1]))',
    JSON.stringify(toNestedArray(y)),
  ]);
  return text.toString();
}

const PACKAGE = {
  name: 'cdk-sliced-inference',
  exports: { './client': './client.js' },
};

interface Application {
  readonly withSdk: boolean;
}

/** Returns the caller in the folder of an application that has the package. */
function application({ withSdk }: Application): string {
  const folder = temporaryFolder();
  const installed = path.join(folder, 'node_modules/cdk-sliced-inference');
  fs.mkdirSync(installed, { recursive: true });
  fs.writeFileSync(path.join(installed, 'package.json'), JSON.stringify(PACKAGE));
  for (const file of ['client.js', 'bundled-sdk.mjs']) {
    fs.copyFileSync(path.join(ROOT, 'dist/bundle', file), path.join(installed, file));
  }
  for (const name of withSdk ? ['@aws-sdk/client-sfn', '@aws-sdk/client-s3'] : []) {
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

  it.each<[what: string, application: Application, stderr: string]>([
    ['without the AWS SDK', { withSdk: false }, ''],
    ['with its own AWS SDK', { withSdk: true }, 'own @aws-sdk/client-sfn\n'],
  ])('prints the results of the whole model in an application %s', async (_, wanted, stderr) => {
    // The SDK warns of an old Node.js.
    const args = ['--no-warnings', application(wanted), JSON.stringify({ x: [ROW] })];
    const called = await promisify(execFile)(process.execPath, args, { env: served.environment });
    expect(called).toEqual({ stdout: await expectedText(), stderr });
  });
});

describe('an application that only encodes tensors', () => {
  it('loads no AWS SDK', () => {
    const folder = path.dirname(application({ withSdk: true }));
    const code =
      "const { encodeTensors, tensorFrom } = require('cdk-sliced-inference/client');" +
      "encodeTensors(new Map([['x', tensorFrom('float32', [1], new Float32Array(1))]]));" +
      'console.log(Object.keys(require.cache).filter((file) => /sdk/.test(file)).length);';
    const output = execFileSync(process.execPath, ['-e', code], { cwd: folder, stdio: 'pipe' });
    expect(output.toString()).toBe('0\n');
  });
});
