import * as fs from 'node:fs';
import * as path from 'node:path';
import { addHostOnnxRuntime } from '../../../local/lambda/host-onnxruntime';
import { thisMachine } from '../../../lib/host/onnxruntime';
import { temporaryFolder } from '../../support/temporary-folder';

const folder = temporaryFolder();
const installed = path.dirname(require.resolve('onnxruntime-node/package.json'));
const here = thisMachine();

/** The code of a function that was built for another machine: the package without this machine's library. */
function codeWithout(name: string, version?: string): string {
  const code = path.join(folder, name);
  const shipped = path.join(code, 'node_modules', 'onnxruntime-node');
  fs.mkdirSync(shipped, { recursive: true });
  if (version === undefined)
    fs.copyFileSync(path.join(installed, 'package.json'), path.join(shipped, 'package.json'));
  else fs.writeFileSync(path.join(shipped, 'package.json'), JSON.stringify({ version }));
  return code;
}

describe('addHostOnnxRuntime', () => {
  test("adds this machine's library if the code lacks it", () => {
    const code = codeWithout('missing');
    addHostOnnxRuntime(code, here);
    const library = path.join('bin', 'napi-v6', here.platform, here.arch);
    expect(fs.readdirSync(path.join(code, 'node_modules', 'onnxruntime-node', library))).toEqual(
      fs.readdirSync(path.join(installed, library)),
    );
  });

  test('does not change code without ONNX Runtime', () => {
    const code = path.join(folder, 'plain');
    fs.mkdirSync(code);
    addHostOnnxRuntime(code, here);
    expect(fs.readdirSync(code)).toEqual([]);
  });

  test('refuses a machine that has no library', () => {
    expect(() => {
      addHostOnnxRuntime(codeWithout('sparc'), { platform: 'sunos', arch: 'sparc', glibc: undefined });
    }).toThrow(
      'onnxruntime-node has no library for this machine, got sunos-sparc: ' +
        'run on Linux with glibc, on Windows with an x64 processor, or on an Apple silicon Mac',
    );
  });

  test("refuses Alpine Linux although the code has the library for Lambda's Linux", () => {
    const code = codeWithout('alpine');
    fs.mkdirSync(path.join(code, 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64'), { recursive: true });
    expect(() => {
      addHostOnnxRuntime(code, { platform: 'linux', arch: 'x64', glibc: undefined });
    }).toThrow(
      'onnxruntime-node has no library for this machine, got linux-x64 without glibc, for example Alpine Linux: run on',
    );
  });

  test('refuses a library of another version', () => {
    expect(() => {
      addHostOnnxRuntime(codeWithout('old', '1.0.0'), here);
    }).toThrow('the functions run onnxruntime-node 1.0.0, got');
  });
});
