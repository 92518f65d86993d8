import * as http from 'node:http';
import * as https from 'node:https';
import type { ServerCertificate } from './certificate';

/** A server that speaks TLS, or plain HTTP without a certificate. */
export function serverWith(certificate: ServerCertificate | undefined): http.Server {
  if (certificate === undefined) return http.createServer();
  return https.createServer({ cert: certificate.certificate, key: certificate.privateKey });
}
