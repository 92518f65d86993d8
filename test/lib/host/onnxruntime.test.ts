import { checkRunsOnnxRuntime } from '../../../lib/host/onnxruntime';

const ADVICE =
  'run `sliced-inference slice` on one of them, and deploy its output from here with SlicedModel.fromDirectory';

function refusal(platform: string, arch: string, glibc?: string): string {
  try {
    checkRunsOnnxRuntime({ platform, arch, glibc });
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

describe('checkRunsOnnxRuntime', () => {
  test.each([
    ['linux', 'x64', '2.36'],
    ['linux', 'arm64', '2.28'],
    ['darwin', 'arm64', undefined],
    ['win32', 'x64', undefined],
  ])('accepts %s on %s', (platform, arch, glibc) => {
    expect(refusal(platform, arch, glibc)).toBe('none');
  });

  test('accepts this machine', () => {
    expect(() => {
      checkRunsOnnxRuntime();
    }).not.toThrow();
  });

  test('refuses a processor that ONNX Runtime has no library for', () => {
    expect(refusal('darwin', 'x64')).toMatch(
      /^slicing runs ONNX Runtime, which needs one of the platforms darwin-arm64, linux-arm64, linux-x64, .*win32-x64, got darwin-x64: /,
    );
    expect(refusal('darwin', 'x64')).toContain(ADVICE);
  });

  test('refuses Linux without glibc', () => {
    expect(refusal('linux', 'x64')).toContain(
      `got linux-x64 without glibc, for example Alpine Linux: ${ADVICE}`,
    );
  });
});
