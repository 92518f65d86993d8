/** Gives the distributed Maps of a state machine access to S3, as its role may use it. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import type { Readable } from 'node:stream';
import type { Authorizer, Needed } from '../../iam/authorizer';
import { roleSession } from '../../iam/principals';
import { keyNeeds, listNeed, type S3OperationName, s3Needs, type S3Target } from '../../iam/s3-actions';
import { S3Error } from '../../s3/errors';
import type { DiskObjectStore, StoredObject } from '../../s3/store';

/** Besides `s3:PutObject`: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html#resultwriter-iam-policies */
const WRITER_ACTIONS = ['s3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'] as const;

const TLS_VERSION = 1.3;

export class MapStorage {
  /**
   * @param folder for temporary files
   * @param roleArn of the state machine as it is now; `undefined` if it is not known
   */
  constructor(
    private readonly store: DiskObjectStore,
    private readonly authorizer: Authorizer,
    readonly folder: string,
    private readonly roleArn: () => string | undefined,
  ) {}

  /** The objects below a prefix, in the order of their keys. @throws S3Error when S3 refuses the request, as the other methods */
  list(bucket: string, prefix: string): Iterable<StoredObject> {
    const query = new URLSearchParams({ prefix });
    this.check('ListObjectsV2', { ...targetOf(bucket, ''), query });
    return this.store.list(bucket, prefix);
  }

  /** A descriptor of the object's file. It stays valid when the object is overwritten or deleted, and the caller must close it. */
  open(bucket: string, key: string): number {
    const target = targetOf(bucket, key);
    this.store.checkBucket(bucket);
    const object = this.store.find(bucket, key);
    this.check('GetObject', { ...target, stored: object?.metadata ?? {} });
    // A caller that may not list a bucket does not learn that a key is missing.
    if (object === undefined) this.allow([listNeed(target)]);
    return this.store.open(this.store.head(bucket, key));
  }

  /** The caller must read or destroy the stream. */
  read(bucket: string, key: string): Readable {
    return fs.createReadStream('', { fd: this.open(bucket, key), highWaterMark: 1 << 20 });
  }

  /** Resolves to the size of the object. */
  async write(bucket: string, key: string, body: Readable): Promise<number> {
    const target = targetOf(bucket, key);
    this.store.checkBucket(bucket);
    this.check('PutObject', target);
    const [{ policyOf, resource, context }] = s3Needs('PutObject', target);
    this.allow(WRITER_ACTIONS.map((action) => ({ action, resource, policyOf, context })));
    return (await this.store.put(bucket, key, body, { contentType: 'application/json' })).size;
  }

  /** Why the role may not do all of this; `undefined` if it may. */
  refusal(needs: readonly Needed[]): string | undefined {
    const roleArn = this.roleArn();
    if (roleArn === undefined) return undefined;
    return this.authorizer.firstRefusal(roleSession(roleArn, randomBytes(16).toString('hex')), needs);
  }

  private check(name: S3OperationName, target: S3Target): void {
    this.allow([...s3Needs(name, target), ...keyNeeds(name, target, this.authorizer)]);
  }

  private allow(needs: readonly Needed[]): void {
    const refusal = this.refusal(needs);
    if (refusal !== undefined) throw new S3Error('AccessDenied', refusal);
  }
}

function targetOf(bucket: string, key: string): S3Target {
  return { bucket, key, query: new URLSearchParams(), headers: {}, tlsVersion: TLS_VERSION };
}
