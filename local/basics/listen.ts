/** Starts and stops HTTP servers on the loopback interface. */
import { once } from 'node:events';
import type * as http from 'node:http';
import { LocalCloudError, systemErrorCode } from './errors';

export const LOOPBACK = '127.0.0.1';

const MAX_PORT = 65_535;

/**
 * Starts the server and returns its port.
 * @param port 0 for a free one
 * @throws LocalCloudError when the port is not free, or not a port
 */
export async function listen(server: http.Server, port = 0): Promise<number> {
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) {
    throw new LocalCloudError(
      `a port must be a whole number from 0 to ${MAX_PORT}, got ${port}: choose another port`,
    );
  }
  server.listen(port, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (port === 0) throw error;
    const code = systemErrorCode(error) ?? String(error);
    throw new LocalCloudError(`port ${port} of ${LOOPBACK} must be free, got ${code}: choose another port`);
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

/**
 * Whether a request names this machine as its host. A web page whose name resolves to 127.0.0.1 sends its own name, and could
 * read the responses otherwise.
 */
export function isForLoopback({ headers }: http.IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '');
  return host === LOOPBACK || host.toLowerCase() === 'localhost';
}

export async function closeServer(server: http.Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
