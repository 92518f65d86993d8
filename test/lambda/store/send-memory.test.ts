/** Runs the compiled code in a child process, because peak memory is a figure of a whole process. */
import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { answeringServer, PROTOCOLS } from '../../support/answering-server';

const CHILD = path.join(__dirname, '../../support/send-memory.cjs');

describe.each(PROTOCOLS)('writing a tensor over %s', (protocol) => {
  const server = answeringServer(
    protocol,
    (request, response) => void request.on('end', () => response.end()),
  );

  // A tensor that is encrypted as one chunk takes twice its size.
  it('of 128 MB takes less than 48 MB more memory', async () => {
    const env = { ...process.env, CA: protocol === 'https' ? server.ca : undefined };
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', CHILD], { env });
    expect(stdout).toMatch(/^-?\d+$/);
    expect(Number(stdout)).toBeLessThan(48e6);
  });
});
