import { clearProgress, showProgress } from '../../../bin/terminal/progress';

/** What reaches standard error when it is a terminal or not. */
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
  it('is one line on a terminal, and gone in the end', () => {
    expect(written(true)).toBe('\r\u001b[Kreading model.onnx\r\u001b[K');
  });

  it('is silent in a pipe', () => {
    expect(written(false)).toBe('');
  });
});
