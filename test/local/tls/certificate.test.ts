import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import * as fs from 'node:fs';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { makeServerCertificate } from '../../../local/tls/certificate';
import { temporaryFolder } from '../../support/temporary-folder';

const DAY_MS = 24 * 60 * 60 * 1000;
const folder = temporaryFolder();
const made = makeServerCertificate();
const other = makeServerCertificate();

describe("the server's certificate", () => {
  const certificate = new X509Certificate(made.certificate);
  const authority = new X509Certificate(made.authority);

  it('is signed by its authority, which differs from that of another start', () => {
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkIssued(authority)).toBe(true);
    expect(authority.verify(authority.publicKey)).toBe(true);
    expect([certificate.ca, authority.ca]).toEqual([false, true]);
    expect(certificate.verify(new X509Certificate(other.authority).publicKey)).toBe(false);
    expect(new X509Certificate(other.authority).subject).not.toBe(authority.subject);
  });

  it('is for this machine only, now and for some days', () => {
    expect(certificate.checkHost('example.com')).toBeUndefined();
    expect(certificate.checkIP('127.0.0.2')).toBeUndefined();
    const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
    expect(from).toBeLessThan(Date.now());
    expect(to).toBeGreaterThan(Date.now() + DAY_MS);
    expect(to).toBeLessThan(Date.now() + 30 * DAY_MS);
  });

  it('is well-formed for OpenSSL, whose strict mode checks RFC 5280', () => {
    const [ca, own] = [path.join(folder, 'ca.pem'), path.join(folder, 'own.pem')];
    fs.writeFileSync(ca, made.authority);
    fs.writeFileSync(own, made.certificate);
    const flags = '-x509_strict -purpose sslserver -verify_ip 127.0.0.1 -CAfile'.split(' ');
    const { error, stdout, stderr } = spawnSync('openssl', ['verify', ...flags, ca, own], {
      encoding: 'utf8',
    });
    if (error) console.warn(`not checked with OpenSSL: ${error.message}`);
    else expect(stdout + stderr).toBe(`${own}: OK\n`);
  });
});

describe('a server with the certificate', () => {
  const server = https.createServer({ cert: made.certificate, key: made.privateKey }, (_, response) => {
    response.end('hello');
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  function get(host: string, ca?: string): Promise<string> {
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const options = { host, port, ca, family: 4, agent: false };
      https.get(options, (response) => void text(response).then(resolve)).on('error', reject);
    });
  }

  it('is trusted by clients that know the authority, and by no others', async () => {
    for (const host of ['127.0.0.1', 'localhost']) expect(await get(host, made.authority)).toBe('hello');
    for (const ca of [undefined, other.authority]) {
      const code = expect.stringMatching(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER/) as string;
      await expect(get('127.0.0.1', ca)).rejects.toMatchObject({ code });
    }
  });
});
