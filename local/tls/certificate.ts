/**
 * Makes the certificate of the local cloud's servers, and an authority that signed it and that clients trust.
 *
 * Node.js can sign but has no API to make certificates. The packages that do (selfsigned with @peculiar/x509 and pkijs) would
 * add 24 packages and 350 kB to the bundle, and take 100 ms to load and run: this file takes 3 ms for the one kind of
 * certificate that we need. Tests hold it against OpenSSL and against the verification of Node.js.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import * as der from './der';

/** Days from now, and from now back, because the clocks of containers and virtual machines differ. */
const VALID_DAYS = 7;
const VALID_DAYS_BEFORE = 1;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Names and addresses of the servers. */
const HOSTS = ['localhost', '127.0.0.1'] as const;

/** https://www.rfc-editor.org/rfc/rfc5280 and https://www.rfc-editor.org/rfc/rfc5758 */
const OID = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuthentication: '1.3.6.1.5.5.7.3.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

/** Bits of the key usage extension, the first bit of RFC 5280 highest. */
const DIGITAL_SIGNATURE = { bits: 0x80, unused: 7 };
const SIGN_CERTIFICATES_AND_REVOCATIONS = { bits: 0x06, unused: 1 };

/** All values are PEM. */
export interface ServerCertificate {
  /** Certificate of the authority. Its key is forgotten, so nothing else can be signed with it. */
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
}

interface Party {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Makes a certificate for 127.0.0.1 and localhost: ECDSA with P-256, valid for some days. */
export function makeServerCertificate(now = new Date()): ServerCertificate {
  // The name is unique: OpenSSL would confuse two authorities with the same name and different keys.
  const authority = party(`sliced-inference local cloud ${randomBytes(6).toString('hex')}`);
  const server = party('localhost');
  return {
    authority: certificate(authority, authority, now, [
      extension(OID.basicConstraints, der.sequence(der.boolean(true)), 'critical'),
      keyUsage(SIGN_CERTIFICATES_AND_REVOCATIONS),
    ]),
    certificate: certificate(server, authority, now, [
      extension(OID.basicConstraints, der.sequence(), 'critical'),
      keyUsage(DIGITAL_SIGNATURE),
      extension(OID.extendedKeyUsage, der.sequence(der.objectIdentifier(OID.serverAuthentication))),
      extension(OID.subjectAlternativeName, der.sequence(...HOSTS.map(generalName))),
    ]),
    privateKey: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function party(name: string): Party {
  return { name, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

function certificate(subject: Party, issuer: Party, now: Date, extensions: readonly Buffer[]): string {
  const algorithm = der.sequence(der.objectIdentifier(OID.ecdsaWithSha256));
  const at = (days: number): Buffer => der.utcTime(new Date(now.getTime() + days * DAY_MS));
  const version3 = der.tagged(0xa0, der.integer(Buffer.of(2)));
  const keyIdentifiers = [
    extension(OID.subjectKeyIdentifier, der.octetString(keyIdentifier(subject))),
    extension(OID.authorityKeyIdentifier, der.sequence(der.tagged(0x80, keyIdentifier(issuer)))),
  ];
  const content = der.sequence(
    version3,
    der.integer(serialNumber()),
    algorithm,
    distinguishedName(issuer.name),
    der.sequence(at(-VALID_DAYS_BEFORE), at(VALID_DAYS)),
    distinguishedName(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(0xa3, der.sequence(...extensions, ...keyIdentifiers)),
  );
  const signature = sign('sha256', content, issuer.privateKey);
  return pem(der.sequence(content, algorithm, der.bitString(signature)));
}

/** A positive number without leading zero bytes. */
function serialNumber(): Buffer {
  const number = randomBytes(16);
  number[0] = (number[0] & 0x7f) | 0x40;
  return number;
}

function distinguishedName(commonName: string): Buffer {
  const name = der.sequence(der.objectIdentifier(OID.commonName), der.utf8String(commonName));
  return der.sequence(der.set(name));
}

function keyIdentifier({ publicKey }: Party): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function extension(oid: string, value: Buffer, critical?: 'critical'): Buffer {
  const flag = critical === undefined ? [] : [der.boolean(true)];
  return der.sequence(der.objectIdentifier(oid), ...flag, der.octetString(value));
}

function keyUsage({ bits, unused }: { readonly bits: number; readonly unused: number }): Buffer {
  return extension(OID.keyUsage, der.bitString(Buffer.of(bits), unused), 'critical');
}

/** An IP address or a DNS name. */
function generalName(host: string): Buffer {
  if (isIPv4(host)) return der.tagged(0x87, Buffer.from(host.split('.').map(Number)));
  return der.tagged(0x82, Buffer.from(host, 'latin1'));
}

function pem(content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
