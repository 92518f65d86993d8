import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Platform, thisMachine } from '../../../lib/host/packages';
import { addHostOnnxRuntime } from '../../../local/lambda/code';
import { temporaryFolder } from '../../support/temporary-folder';

const installed = path.dirname(require.resolve('onnxruntime-node/package.json'));
const here = thisMachine();

/** The code of a function that was built for another machine: the package without this machine's library. */
function codeWithout(version?: string): { readonly code: string; readonly shipped: string } {
  const code = temporaryFolder();
  const shipped = path.join(code, 'node_modules', 'onnxruntime-node');
  fs.mkdirSync(path.join(shipped, 'bin/napi-v6/linux/other'), { recursive: true });
  const manifest = fs.readFileSync(path.join(installed, 'package.json'), 'utf8');
  fs.writeFileSync(
    path.join(shipped, 'package.json'),
    version === undefined ? manifest : JSON.stringify({ version }),
  );
  return { code, shipped };
}

describe('addHostOnnxRuntime', () => {
  test("adds this machine's library if the code lacks it", () => {
    const { code, shipped } = codeWithout();
    addHostOnnxRuntime(code, here);
    const library = path.join('bin', 'napi-v6', here.platform, here.arch);
    expect(fs.readdirSync(path.join(shipped, library))).toEqual(
      fs.readdirSync(path.join(installed, library)),
    );
  });

  test.each<[string, Platform, string | undefined, string]>([
    [
      "Alpine Linux, although the code has the library for Lambda's Linux",
      { platform: 'linux', arch: 'x64', glibc: undefined },
      undefined,
      'for this machine, got linux-x64 without glibc, for example Alpine Linux: run on',
    ],
    ['a library of another version', here, '1.0.0', 'the functions run onnxruntime-node 1.0.0, got'],
  ])('refuses %s', (_, machine, version, message) => {
    const { code, shipped } = codeWithout(version);
    if (machine !== here) fs.mkdirSync(path.join(shipped, 'bin/napi-v6/linux/x64'));
    expect(() => {
      addHostOnnxRuntime(code, machine);
    }).toThrow(message);
  });
});
