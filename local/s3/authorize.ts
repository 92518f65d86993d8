/** Authorizes requests to the local S3, before and after they run. */
import type { Authorizer, Needed } from '../iam/authorizer';
import type { Principal } from '../iam/principals';
import {
  KEY_HEADER,
  keyNeeds,
  listNeed,
  type S3OperationName,
  s3Needs,
  type SessionMode,
  sessionNeed,
} from '../iam/s3-actions';
import { isDirectoryBucket, type S3Request } from './request';
import { notImplemented, S3Error } from './errors';
import type { DiskObjectStore } from './store';

export class S3Authorization {
  constructor(
    private readonly store: DiskObjectStore,
    private readonly authorizer: Authorizer,
  ) {}

  /** @throws S3Error `AccessDenied`; `NoSuchBucket`, because S3 does not hide which buckets exist */
  check(name: S3OperationName, request: S3Request): void {
    const { principal } = request.caller;
    const { authorizer } = this;
    if (principal === undefined) return;
    if (request.bucket !== '') this.store.checkBucket(request.bucket);
    checkKey(request, authorizer);
    if (isDirectoryBucket(request.bucket)) {
      this.checkSession(name, request, principal);
      return;
    }
    allow(authorizer, principal, s3Needs(name, request));
    // S3 looks for an object before it decrypts it.
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const object = request.bucket === '' ? undefined : this.store.find(request.bucket, request.key);
    if (isRead && object === undefined) return;
    const stored = object?.metadata ?? {};
    allow(authorizer, principal, keyNeeds(name, { ...request, stored }, authorizer));
  }

  /** A caller that may not list a bucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
  hideMissingKey(request: S3Request, error: unknown): unknown {
    const { principal } = request.caller;
    if (!(error instanceof S3Error) || error.code !== 'NoSuchKey') return error;
    if (principal === undefined || isDirectoryBucket(request.bucket)) return error;
    const refusal = this.authorizer.refusal(principal, listNeed(request));
    return refusal === undefined ? error : new S3Error('AccessDenied', refusal);
  }

  /** Without a mode in the request, first the one that may write: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html */
  sessionMode(request: S3Request): SessionMode {
    const { principal } = request.caller;
    const asked = request.headers['x-amz-create-session-mode'];
    const modes: SessionMode[] =
      asked === 'ReadWrite' || asked === 'ReadOnly' ? [asked] : ['ReadWrite', 'ReadOnly'];
    const { authorizer } = this;
    if (principal === undefined) return modes[0];
    const refusals: string[] = [];
    for (const mode of modes) {
      const refusal = authorizer.refusal(principal, sessionNeed(request, authorizer, mode));
      if (refusal === undefined) return mode;
      refusals.push(refusal);
    }
    throw new S3Error('AccessDenied', refusals[0]);
  }

  /** HeadBucket has no session: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-create-session.html */
  private checkSession(name: S3OperationName, request: S3Request, principal: Principal): void {
    const { authorizer } = this;
    if (name === 'CreateSession') return;
    if (name === 'HeadBucket') allow(authorizer, principal, [sessionNeed(request, authorizer, 'ReadOnly')]);
    else if (request.session === undefined) throw new S3Error('AccessDenied');
  }
}

/** Only the keys of the deployment have policies here. */
function checkKey({ headers }: S3Request, authorizer: Authorizer): void {
  const name = headers[KEY_HEADER];
  if (typeof name !== 'string' || authorizer.keyNamed(name) !== undefined) return;
  throw notImplemented(`the KMS key ${name}: name a key of the stack's template by its ARN or its id`);
}

function allow(authorizer: Authorizer, principal: Principal, needs: readonly Needed[]): void {
  const refusal = authorizer.firstRefusal(principal, needs);
  if (refusal !== undefined) throw new S3Error('AccessDenied', refusal);
}
