/** What a new sandbox loads before its first call. */
import { execFileSync } from 'node:child_process';
import { ENV } from '../../contract/environment';
import { builtFile } from '../../lib/host/packages';

/** Requires the deployed bundle as Lambda does, and prints whether S3's client and ONNX Runtime are there. */
const PROGRAM = `
  require(process.argv[1]);
  const loaded = Object.keys(require.cache);
  console.log(JSON.stringify({
    s3: process.moduleLoadList.includes('NativeModule https'),
    onnxRuntime: loaded.some((file) => file.includes('onnxruntime-node')),
  }));`;

function loadedWith(variables: Readonly<Record<string, string>>): unknown {
  const output = execFileSync(process.execPath, ['-e', PROGRAM, builtFile('bundle/handler.js')], {
    env: { ...process.env, ...variables },
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

test('a slice loads S3 and ONNX Runtime in the init phase', () => {
  expect(loadedWith({})).toEqual({ s3: true, onnxRuntime: true });
});

test('the whole model loads neither, so that it answers at once that it is cold', () => {
  expect(loadedWith({ [ENV.loaderKey]: 'runs/loader.json' })).toEqual({ s3: false, onnxRuntime: false });
});
