/** Progress of a command in a log, such as that of CI. In a terminal, it is one line that changes. */
import { showProgress } from '../../../bin/terminal/progress';

it('is silent in a log for a minute, and then a note each minute', () => {
  const written: string[] = [];
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const clock = jest.spyOn(performance, 'now');
  const terminal = process.stderr.isTTY;
  process.stderr.isTTY = false;
  try {
    for (const seconds of [100, 101, 159, 161, 220, 222, 223]) {
      clock.mockReturnValue(1000 * seconds);
      showProgress(`uploading: ${seconds} files`);
    }
  } finally {
    process.stderr.isTTY = terminal;
    jest.restoreAllMocks();
  }
  expect(written).toEqual(['note: uploading: 161 files\n', 'note: uploading: 222 files\n']);
});
