import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { closeServer, listen } from '../../../local/basics/listen';
import { sendFile } from '../../../local/s3/send-file';
import { temporaryFolder } from '../../support/temporary-folder';

const MIB = 1024 * 1024;
const file = path.join(temporaryFolder(), 'object');
beforeAll(() => {
  fs.writeFileSync(file, Buffer.alloc(8 * MIB));
});

/** Sends the file to a client that leaves at the given moment. @returns whether sending failed, and whether the file is closed */
async function sendToLeaving(when: 'before' | 'during'): Promise<{ failed: boolean; closed: boolean }> {
  const descriptor = fs.openSync(file, 'r');
  let settle: (error: unknown) => void;
  const settled = new Promise<unknown>((resolve) => (settle = resolve));
  const server = http.createServer((_, response) => {
    const send = (): void => {
      sendFile(descriptor, { first: 0, last: 8 * MIB - 1 }, response).then(() => {
        settle(undefined);
      }, settle);
    };
    response.flushHeaders();
    if (when === 'before') response.once('close', send);
    else send();
  });
  const port = await listen(server, 0);
  http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
    if (when === 'before') response.destroy();
    else response.once('data', () => response.destroy());
    response.on('error', () => undefined);
  });
  const error = await settled;
  await closeServer(server);
  return { failed: error !== undefined, closed: isClosed(descriptor) };
}

function isClosed(descriptor: number): boolean {
  try {
    fs.fstatSync(descriptor);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EBADF';
  }
}

describe('sending a file', () => {
  it.each(['before', 'during'] as const)('ends and closes it if the client leaves %s', async (when) => {
    expect(await sendToLeaving(when)).toEqual({ failed: true, closed: true });
  });
});
