/** Progress of a command in a log, such as that of CI. In a terminal, it is one line that changes. */
import { showProgress } from '../../../bin/terminal/progress';

it('is silent in a log for half a minute, and then a note each half minute', () => {
  const written: string[] = [];
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const clock = jest.spyOn(performance, 'now');
  const terminal = process.stderr.isTTY;
  process.stderr.isTTY = false;
  try {
    for (const seconds of [100, 101, 129, 131, 160, 162, 163]) {
      clock.mockReturnValue(1000 * seconds);
      showProgress(`uploading: ${seconds} files`);
    }
  } finally {
    process.stderr.isTTY = terminal;
    jest.restoreAllMocks();
  }
  expect(written).toEqual(['note: uploading: 131 files\n', 'note: uploading: 162 files\n']);
});
