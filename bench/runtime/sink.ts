/** A server that reads the bodies of requests to their end and keeps nothing, over plain HTTP or over TLS. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';

export const PROTOCOLS = ['http', 'https'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** TLS with a pre-shared key, because Node.js cannot create certificates. Records are encrypted as with a certificate. */
const CIPHERS = 'PSK-AES128-GCM-SHA256';
const KEY = { psk: Buffer.alloc(32, 5), identity: 'bench' };

/** Options of an agent that connects to the server. */
export const SINK_CLIENT: https.AgentOptions = {
  ciphers: CIPHERS,
  maxVersion: 'TLSv1.2',
  pskCallback: () => KEY,
  checkServerIdentity: () => undefined,
};

export interface Sink {
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

export async function startSink(protocol: Protocol): Promise<Sink> {
  const answer: http.RequestListener = (request, response) => {
    request.resume().on('end', () => response.end());
  };
  const server =
    protocol === 'http'
      ? http.createServer(answer)
      : https.createServer({ ciphers: CIPHERS, maxVersion: 'TLSv1.2', pskCallback: () => KEY.psk }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
