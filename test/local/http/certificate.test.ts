import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeServerCertificate } from '../../../local/http/certificate';
import { temporaryFolder } from '../../support/temporary-folder';

const DAY_MS = 24 * 60 * 60 * 1000;
const folder = temporaryFolder();
const made = makeServerCertificate();
const other = makeServerCertificate();

describe("the server's certificate", () => {
  const certificate = new X509Certificate(made.certificate);
  const authority = new X509Certificate(made.authority);

  it('is of an authority that differs from that of another start', () => {
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect([certificate.ca, authority.ca]).toEqual([false, true]);
    expect(certificate.verify(new X509Certificate(other.authority).publicKey)).toBe(false);
  });

  it('is for this machine only, now and for some days', () => {
    for (const name of ['localhost', 'example.com'])
      expect(certificate.checkHost(name)).toBe(name === 'localhost' ? name : undefined);
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
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
