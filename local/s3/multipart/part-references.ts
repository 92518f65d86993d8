/** Reads the parts that the body of a CompleteMultipartUpload lists. */
import { notImplemented, S3Error } from '../errors';
import type { S3Request } from '../request';
import { unescapeXml } from '../xml';

/** 10,000 parts of at most 300 bytes each, with room to spare. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

export interface PartReference {
  readonly number: number;
  /** Without quotes, because clients may omit them. */
  readonly etag: string;
  readonly crc32?: string;
}

export async function readPartReferences(request: S3Request): Promise<PartReference[]> {
  return parsePartReferences(await readBody(request));
}

async function readBody({ message }: S3Request): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) throw malformed(`it is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The body has two levels and no relevant attributes, so it does not need an XML parser. */
function parsePartReferences(xml: string): PartReference[] {
  const root =
    /^\s*(?:<\?xml[^>]*\?>)?\s*<CompleteMultipartUpload(?:\s[^>]*)?>(.*)<\/CompleteMultipartUpload>\s*$/s;
  const content = root.exec(xml)?.[1];
  if (content === undefined) throw malformed('it is not a CompleteMultipartUpload');
  const parts = [...content.matchAll(/\s*<Part>(.*?)<\/Part>\s*/gs)];
  if (parts.reduce((length, [part]) => length + part.length, 0) !== content.length) {
    throw malformed('it contains something other than parts');
  }
  if (parts.length === 0) throw malformed('it lists no part');
  return parts.map(([, part = '']) => parsePartReference(part));
}

function parsePartReference(xml: string): PartReference {
  const fields = new Map<string, string>();
  for (const [, name = '', text = ''] of xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)) {
    if (!['PartNumber', 'ETag', 'ChecksumCRC32'].includes(name)) {
      throw notImplemented(`CompleteMultipartUpload with ${name} of a part`);
    }
    fields.set(name, unescapeXml(text.trim()));
  }
  const number = fields.get('PartNumber') ?? '';
  const etag = fields.get('ETag');
  if (!/^\d{1,5}$/.test(number) || etag === undefined) throw malformed('a part has no number or no ETag');
  return {
    number: Number(number),
    etag: etag.replace(/^"(.*)"$/, '$1'),
    crc32: fields.get('ChecksumCRC32'),
  };
}

function malformed(what: string): S3Error {
  return new S3Error('MalformedXML', `the body is malformed: ${what}`);
}
