/** Reads the parts that the body of a CompleteMultipartUpload lists. */
import { type ChecksumAlgorithm, checksumElement } from '../checksums';
import { fieldsOf, malformed, parseXml, type XmlElement } from '../parse-xml';

export interface PartReference {
  readonly number: number;
  /** Without quotes, because clients may omit them. */
  readonly etag: string;
  /** Base64 values by the name of their element, such as `ChecksumCRC32`. */
  readonly checksums: ReadonlyMap<string, string>;
}

export function parsePartReferences(xml: string): PartReference[] {
  const { children } = parseXml(xml, 'CompleteMultipartUpload');
  if (children.length === 0 || children.some(({ name }) => name !== 'Part')) malformed();
  return children.map(parsePartReference);
}

function parsePartReference(part: XmlElement): PartReference {
  const fields = fieldsOf(part);
  const number = fields.get('PartNumber')?.trim() ?? '';
  const etag = fields.get('ETag')?.trim();
  if (!/^\d{1,5}$/.test(number) || etag === undefined) malformed();
  const others = [...fields].filter(([name]) => name !== 'PartNumber' && name !== 'ETag');
  if (others.some(([name]) => !name.startsWith('Checksum'))) malformed();
  return {
    number: Number(number),
    etag: etag.replace(/^"(.*)"$/, '$1'),
    checksums: new Map(others.map(([name, value]) => [name, value.trim()])),
  };
}

export function hasChecksum({ checksums }: PartReference, algorithm: ChecksumAlgorithm): boolean {
  return checksums.has(checksumElement(algorithm));
}
