/** GetObjectAttributes: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
import type * as http from 'node:http';
import { checksumElement, type ObjectChecksum } from './checksums';
import { checkRead } from './conditions';
import { invalidArgument } from './errors';
import { storageClassOf } from './object-headers';
import { pageSizeInHeader, wholeNumber } from './paging';
import type { S3Request } from './request';
import { knownHeaders } from './request-headers';
import type { DiskObjectStore, ObjectPart, StoredObject } from './store';
import { element, xmlDocument } from './xml';

const HEADER = 'x-amz-object-attributes';
const OWN_HEADERS = [HEADER, 'x-amz-max-parts', 'x-amz-part-number-marker'];

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const;
type Attribute = (typeof ATTRIBUTES)[number];

export function getObjectAttributes(
  store: DiskObjectStore,
  request: S3Request,
  response: http.ServerResponse,
): void {
  const headers = knownHeaders(request, 'GetObjectAttributes', OWN_HEADERS);
  const object = store.head(request.bucket, request.key);
  checkRead(request.headers, object);
  const wanted = (headers[HEADER] ?? '').split(',').map((name) => name.trim());
  const chosen = wanted.map((name) => {
    const attribute = ATTRIBUTES.find((known) => known === name);
    if (attribute !== undefined) return attribute;
    throw invalidArgument(HEADER, 'Invalid attribute name specified.', name);
  });
  const page = {
    maxParts: pageSizeInHeader(headers, 'x-amz-max-parts'),
    marker: wholeNumber(headers['x-amz-part-number-marker'], 'x-amz-part-number-marker') ?? 0,
  };
  const xml = xmlDocument(
    'GetObjectAttributesResponse',
    chosen.map((attribute) => attributeElement(attribute, request.bucket, object, page)),
  );
  response
    .writeHead(200, {
      'Content-Type': 'application/xml',
      'Last-Modified': object.lastModified.toUTCString(),
    })
    .end(xml);
}

interface Page {
  readonly maxParts: number;
  readonly marker: number;
}

function attributeElement(attribute: Attribute, bucket: string, object: StoredObject, page: Page): string {
  switch (attribute) {
    case 'ETag':
      // Without quotes, as S3 does here.
      return element('ETag', object.etag.slice(1, -1));
    case 'Checksum':
      return `<Checksum>${checksumFields(object.checksum)}</Checksum>`;
    case 'ObjectParts':
      return object.parts === undefined ? '' : partsElement(object.parts, object.checksum, page);
    case 'StorageClass':
      return element('StorageClass', storageClassOf(bucket, object));
    case 'ObjectSize':
      return element('ObjectSize', object.size);
  }
}

function checksumFields({ algorithm, value, type }: ObjectChecksum): string {
  return element(checksumElement(algorithm), value) + element('ChecksumType', type);
}

function partsElement(
  parts: readonly ObjectPart[],
  { algorithm }: ObjectChecksum,
  { maxParts, marker }: Page,
): string {
  const rest = parts.filter(({ number }) => number > marker);
  const shown = rest.slice(0, maxParts);
  const last = shown.at(-1)?.number ?? marker;
  const fields = [
    element('PartsCount', parts.length),
    element('PartNumberMarker', marker),
    element('NextPartNumberMarker', last),
    element('MaxParts', maxParts),
    element('IsTruncated', shown.length > 0 && shown.length < rest.length),
    ...shown.map(({ number, size, checksum }) => {
      const own = [
        element('PartNumber', number),
        element('Size', size),
        element(checksumElement(algorithm), checksum),
      ];
      return `<Part>${own.join('')}</Part>`;
    }),
  ];
  return `<ObjectParts>${fields.join('')}</ObjectParts>`;
}
