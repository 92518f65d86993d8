/** What the operations of the local S3 share, take and return. */
import type * as http from 'node:http';
import type { S3OperationName } from '../iam/s3-actions';
import type { S3Authorization } from './authorize';
import type { Callers } from './callers';
import type { ChecksumAlgorithm } from './checksums';
import type { S3Request } from './request';
import type { DiskObjectStore, ObjectMetadata, ReceivedBytes } from './store';

export interface MultipartUpload extends ObjectMetadata {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly checksum: ChecksumAlgorithm;
  readonly parts: Map<number, StoredPart>;
}

export interface StoredPart {
  /** Quoted hexadecimal MD5. */
  readonly etag: string;
  readonly received: ReceivedBytes;
}

export interface S3Service {
  readonly store: DiskObjectStore;
  /** Those that are not finished, by their ids. */
  readonly uploads: Map<string, MultipartUpload>;
  readonly callers: Callers;
  readonly authorization: S3Authorization;
  readonly region: string;
}

export interface Answer {
  /** @default 200 */
  readonly status?: number;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly xml?: string;
}

export interface Operation {
  readonly name: S3OperationName;
  /** The parameter of the query that tells this operation from others of its method. */
  readonly marker?: string;
  readonly query?: readonly string[];
  readonly headers?: readonly string[];
  /** Returns `undefined` when it has sent the response itself. */
  readonly run: (
    service: S3Service,
    request: S3Request,
    response: http.ServerResponse,
  ) => Answer | Promise<Answer | undefined>;
}
