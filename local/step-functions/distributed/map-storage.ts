/** What distributed Maps need of S3 and of the role of their state machine. */
import type { Readable } from 'node:stream';

export interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** Quoted. */
  readonly etag: string;
  readonly lastModified: Date;
}

/** What Step Functions does with the state machine's own permissions. */
export interface MapNeed {
  readonly action: `states:${'Start' | 'Describe' | 'Stop' | 'Redrive'}Execution`;
  /** ARN of a state machine or of executions. */
  readonly resource: string;
}

export interface MapStorage {
  /** For temporary files. */
  readonly folder: string;
  /** The objects below a prefix one after the other, in the order of their keys. Throws when S3 refuses a request. */
  list(bucket: string, prefix: string): Iterable<ListedObject>;
  /** The caller must read or destroy the stream. @throws Error when S3 refuses the request */
  read(bucket: string, key: string): Readable;
  /** Resolves to the size of the object. Rejects when S3 refuses it. */
  write(bucket: string, key: string, body: Readable): Promise<number>;
  /** Why the role may not do this; `undefined` if it may. */
  refusal(need: MapNeed): string | undefined;
}
