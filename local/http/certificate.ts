/**
 * Makes the certificate of the local cloud's servers, and an authority that signed it and that clients trust. Node.js can sign but has
 * no API to make certificates, and the packages that do would add 24 packages to the bundle for the one kind that we need.
 * https://www.rfc-editor.org/rfc/rfc5280 and https://www.rfc-editor.org/rfc/rfc5758, in DER: https://www.itu.int/rec/T-REC-X.690
 */
import { generateKeyPairSync, hash, randomBytes, sign, X509Certificate } from 'node:crypto';

/** Days from now, and from now back, because the clocks of containers and virtual machines differ. */
const VALID_DAYS = 7;
const VALID_DAYS_BEFORE = 1;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Tags of DER, with the bit of constructed types. */
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;

/** The bytes of object identifiers: those below 2.5 are two numbers in one byte, and the next one. */
const COMMON_NAME = [0x55, 4, 3];
const SUBJECT_KEY_IDENTIFIER = [0x55, 29, 14];
const KEY_USAGE = [0x55, 29, 15];
const SUBJECT_ALTERNATIVE_NAME = [0x55, 29, 17];
const BASIC_CONSTRAINTS = [0x55, 29, 19];
const AUTHORITY_KEY_IDENTIFIER = [0x55, 29, 35];
const EXTENDED_KEY_USAGE = [0x55, 29, 37];
/** 1.3.6.1.5.5.7.3.1 */
const SERVER_AUTHENTICATION = [0x2b, 6, 1, 5, 5, 7, 3, 1];
/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/** Key usages as a bit string: the number of bits that do not count, and the others, the first of RFC 5280 highest. */
const DIGITAL_SIGNATURE = [7, 0x80];
const SIGN_CERTIFICATES_AND_REVOCATIONS = [1, 0x06];

const TRUE = der(BOOLEAN, [0xff]);

/** All values are PEM. */
export interface ServerCertificate {
  /** Certificate of the authority. Its key is forgotten, so nothing else can be signed with it. */
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
}

type Party = ReturnType<typeof party>;

/** Makes a certificate for 127.0.0.1 and localhost: ECDSA with P-256, valid for some days. */
export function makeServerCertificate(): ServerCertificate {
  // The name is unique: OpenSSL would confuse two authorities with the same name and different keys.
  const authority = party(`sliced-inference local cloud ${randomBytes(6).toString('hex')}`);
  const server = party('localhost');
  return {
    authority: certificate(authority, authority, [
      extension(BASIC_CONSTRAINTS, der(SEQUENCE, TRUE), TRUE),
      extension(KEY_USAGE, der(BIT_STRING, SIGN_CERTIFICATES_AND_REVOCATIONS), TRUE),
    ]),
    certificate: certificate(server, authority, [
      extension(BASIC_CONSTRAINTS, der(SEQUENCE), TRUE),
      extension(KEY_USAGE, der(BIT_STRING, DIGITAL_SIGNATURE), TRUE),
      extension(EXTENDED_KEY_USAGE, der(SEQUENCE, der(OBJECT_IDENTIFIER, SERVER_AUTHENTICATION))),
      // A DNS name and an IP address.
      extension(
        SUBJECT_ALTERNATIVE_NAME,
        der(SEQUENCE, der(0x82, Buffer.from('localhost')), der(0x87, [127, 0, 0, 1])),
      ),
    ]),
    privateKey: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function party(commonName: string) {
  const { publicKey: key, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = key.export({ type: 'spki', format: 'der' });
  const keyIdentifier = hash('sha1', publicKey, 'buffer');
  const attribute = [der(OBJECT_IDENTIFIER, COMMON_NAME), der(UTF8_STRING, Buffer.from(commonName))];
  return { privateKey, publicKey, keyIdentifier, name: der(SEQUENCE, der(SET, der(SEQUENCE, ...attribute))) };
}

function certificate(subject: Party, issuer: Party, extensions: readonly Buffer[]): string {
  const version3 = der(0xa0, der(INTEGER, [2]));
  // Positive, and without leading zero bytes.
  const serialNumber = der(INTEGER, [0x40], randomBytes(16));
  const algorithm = der(SEQUENCE, der(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256));
  const validity = der(SEQUENCE, utcTime(-VALID_DAYS_BEFORE), utcTime(VALID_DAYS));
  const identifiers = [
    extension(SUBJECT_KEY_IDENTIFIER, der(OCTET_STRING, subject.keyIdentifier)),
    extension(AUTHORITY_KEY_IDENTIFIER, der(SEQUENCE, der(0x80, issuer.keyIdentifier))),
  ];
  const fields = [version3, serialNumber, algorithm, issuer.name, validity, subject.name, subject.publicKey];
  const content = der(SEQUENCE, ...fields, der(0xa3, der(SEQUENCE, ...extensions, ...identifiers)));
  const signature = der(BIT_STRING, [0], sign('sha256', content, issuer.privateKey));
  return new X509Certificate(der(SEQUENCE, content, algorithm, signature)).toString();
}

/** For years before 2050. */
function utcTime(days: number): Buffer {
  const text = new Date(Date.now() + days * DAY_MS).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(UTC_TIME, Buffer.from(text.slice(2)));
}

function extension(identifier: readonly number[], value: Buffer, ...critical: readonly Buffer[]): Buffer {
  return der(SEQUENCE, der(OBJECT_IDENTIFIER, identifier), ...critical, der(OCTET_STRING, value));
}

/** Lengths from 128 on are the number of their bytes with the highest bit set, and these bytes. No certificate has 64 kB. */
function der(tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
