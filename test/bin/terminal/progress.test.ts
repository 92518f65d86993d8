import { clearProgress, showProgress } from '../../../bin/terminal/progress';

/** What showProgress and clearProgress write to standard error. */
function written(isTTY: boolean): string {
  const before = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  Object.defineProperty(process.stderr, 'isTTY', { value: isTTY, configurable: true });
  try {
    showProgress('reading model.onnx');
    clearProgress();
    return write.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    write.mockRestore();
    Object.defineProperty(process.stderr, 'isTTY', before ?? { value: undefined, configurable: true });
  }
}

describe('progress', () => {
  it('is one line on a terminal that is cleared at the end', () => {
    expect(written(true)).toBe('\r\u001b[Kreading model.onnx\r\u001b[K');
  });

  it('is not written to a pipe', () => {
    expect(written(false)).toBe('');
  });
});
