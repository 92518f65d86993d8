import { checkRunsOnnxRuntime } from '../../../lib/host/packages';
import { askChild } from '../../../lib/host/run-child';

const check = (platform: string, arch: string, glibc?: string) => () => {
  checkRunsOnnxRuntime({ platform, arch, glibc });
};

const advice =
  'run `sliced-inference slice` on one of them, and deploy its output from here with SlicedModel.fromDirectory';
test.each([
  ['darwin', 'x64', 'darwin-x64'],
  ['linux', 'x64', 'linux-x64 without glibc, for example Alpine Linux'],
])('checkRunsOnnxRuntime refuses %s on %s', (platform, arch, got) => {
  expect(check(platform, arch)).toThrow(
    /^slicing runs .* darwin-arm64, linux-arm64, linux-x64, .*win32-x64, got /,
  );
  expect(check(platform, arch)).toThrow(`got ${got}: ${advice}`);
});

test('a child process that does not start is reported', () => {
  const { execPath } = process;
  process.execPath = '/nowhere/node';
  const request = { script: 'lib/shapes/infer-child.js', args: [], timeoutMs: 10_000 };
  try {
    expect(() => askChild({ ...request, what: 'the model must load', advice: 'try again' })).toThrow(
      'the model must load, got a process that did not start: spawnSync /nowhere/node ENOENT: try again',
    );
  } finally {
    process.execPath = execPath;
  }
});
