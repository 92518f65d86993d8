import { print, printJson, printLine } from '../../../bin/terminal/print';
import { clearProgress, showProgress } from '../../../bin/terminal/progress';

/** What the function writes to a stream. */
function written(stream: 'stdout' | 'stderr', write: () => void): string {
  const spy = jest.spyOn(process[stream], 'write').mockReturnValue(true);
  write();
  const text = spy.mock.calls.map(([chunk]) => String(chunk)).join('');
  spy.mockRestore();
  return text;
}

const OBEYED = 'a\u001b[2J\u009b31m\u202e';
const ESCAPED = 'a\\x1b[2J\\x9b31m\\u202e';

describe('text for a terminal', () => {
  it('keeps its lines and tabs, and has escapes for what a terminal obeys', () => {
    const write = (): void => {
      print(`${OBEYED}\tb\r\nc\n`);
    };
    expect(written('stdout', write)).toBe(`${ESCAPED}\tb\\x0d\nc\n`);
  });

  it('is one line of standard error', () => {
    const write = (): void => {
      printLine(`note: ${OBEYED}\r\n  b\tc  d\n`);
    };
    expect(written('stderr', write)).toBe(`note: ${ESCAPED} b c  d\n`);
  });

  it('is the same value as JSON', () => {
    const value = { [OBEYED]: [`${OBEYED}\u007f\u2028\n`] };
    const json = written('stdout', () => {
      printJson(value);
    });
    expect(JSON.parse(json)).toEqual(value);
    expect(json).not.toMatch(/[^\P{Cc}\n]|[\u2028\u202e]/u);
  });
});

test.each([
  [true, 80, '\r\u001b[Kreading model.onnx\r\u001b[K'],
  [true, 19, '\r\u001b[Kreading model.onnx\r\u001b[K'],
  [true, 18, '\r\u001b[K…ading model.onnx\r\u001b[K'],
  [false, 80, ''],
])(
  'progress is one line that is cleared at the end, on a terminal: %s, of %d columns',
  (isTTY, columns, line) => {
    const before = { isTTY: process.stderr.isTTY, columns: process.stderr.columns };
    Object.assign(process.stderr, { isTTY, columns });
    const text = written('stderr', () => {
      showProgress('reading model.onnx');
      clearProgress();
    });
    Object.assign(process.stderr, before);
    expect(text).toBe(line);
  },
);
