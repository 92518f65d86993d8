/** A server that reads the bodies of requests to their end and keeps nothing, over plain HTTP or over TLS. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeServerCertificate } from '../../local/tls/certificate';

export const PROTOCOLS = ['http', 'https'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface Sink {
  readonly endpoint: string;
  /** Certificate of the authority to trust, in PEM. Absent for plain HTTP. */
  readonly ca?: string;
  readonly close: () => Promise<void>;
}

export async function startSink(protocol: Protocol): Promise<Sink> {
  const answer: http.RequestListener = (request, response) => {
    request.resume().on('end', () => response.end());
  };
  const certificate = protocol === 'http' ? undefined : makeServerCertificate();
  const server =
    certificate === undefined
      ? http.createServer(answer)
      : https.createServer({ cert: certificate.certificate, key: certificate.privateKey }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...(certificate && { ca: certificate.authority }),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
