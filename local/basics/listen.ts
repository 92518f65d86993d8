/** Starts and stops HTTP servers on a free port of the loopback interface. */
import { once } from 'node:events';
import type * as http from 'node:http';

export const LOOPBACK = '127.0.0.1';

/** Starts the server and returns its port. */
export async function listen(server: http.Server): Promise<number> {
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

export async function closeServer(server: http.Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
