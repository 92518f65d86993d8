/** Runs the compiled child, because peak memory is a figure of a whole process. */
import * as path from 'node:path';
import { inChild } from '../../../bench/measure';
import type { Sent } from '../../../bench/runtime/send-child';
import { answeringServer, PROTOCOLS } from '../../support/answering-server';

const CHILD = path.join(__dirname, '../../../dist/bench/runtime/send-child.js');

describe.each(PROTOCOLS)('writing a tensor over %s', (protocol) => {
  const server = answeringServer(
    protocol,
    (request, response) => void request.on('end', () => response.end()),
  );

  // A tensor that is encrypted as one chunk takes twice its size.
  it('of 128 MB takes less than 48 MB more memory', async () => {
    const { endpoint } = server;
    const ca = protocol === 'https' ? server.ca : undefined;
    const { extraMemoryBytes } = await inChild<Sent>(CHILD, { endpoint, ca, megabytes: 128 });
    expect(extraMemoryBytes).toBeLessThan(48e6);
  });
});
