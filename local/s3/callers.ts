/** The cloud itself, each sandbox of a function, and sessions for directory buckets. Each signs with an access key of its own. */
import { randomBytes } from 'node:crypto';
import type * as http from 'node:http';
import type { FaultTarget } from '../faults/injector';
import {
  type AccessKey,
  ALGORITHM,
  SignatureError,
  type SignatureFault,
  verifySignature,
} from '../http/signature-v4';
import { queryOf } from '../http/loopback-server';
import type { Principal } from '../iam/principals';
import type { Traffic } from '../simulation/traffic';
import { invalidRequest, notImplemented, S3Error, type S3ErrorCode } from './errors';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface TemporaryCredentials extends Credentials {
  readonly sessionToken: string;
}

export interface Caller {
  /** The caller's principal in IAM. A caller without a principal may make every request. */
  readonly principal?: Principal;
  readonly traffic?: Traffic;
  /** The function's sandbox, which faults may hit. The requests of other callers are never hit. */
  readonly target?: FaultTarget;
}

export interface Session {
  readonly bucket: string;
  readonly readOnly: boolean;
}

export interface CallerKey extends AccessKey {
  readonly caller: Caller;
  readonly session?: Session;
}

export class Callers {
  private readonly byAccessKeyId = new Map<string, CallerKey>();

  /** Its requests need no session token. */
  add(caller: Caller = {}): Credentials {
    const credentials = newCredentials();
    const { accessKeyId, secretAccessKey } = credentials;
    this.byAccessKeyId.set(accessKeyId, { secretAccessKey, caller });
    return credentials;
  }

  /** As functions have. */
  addTemporary(caller: Caller = {}): TemporaryCredentials {
    return this.issue({ caller });
  }

  /** Adds credentials with which a caller uses one directory bucket. @param expires epoch milliseconds */
  addSession(caller: Caller, session: Session, expires: number): TemporaryCredentials {
    return this.issue({ caller, session, expires });
  }

  private issue(key: Omit<CallerKey, 'secretAccessKey'>): TemporaryCredentials {
    const { accessKeyId, secretAccessKey } = newCredentials();
    const sessionToken = randomBytes(96).toString('base64');
    this.byAccessKeyId.set(accessKeyId, { ...key, secretAccessKey, sessionToken });
    return { accessKeyId, secretAccessKey, sessionToken };
  }

  /** Removes also the credentials of the caller's sessions. */
  remove({ accessKeyId }: Pick<Credentials, 'accessKeyId'>): void {
    const removed = this.find(accessKeyId)?.caller;
    for (const [id, { caller }] of this.byAccessKeyId) {
      if (caller === removed) this.byAccessKeyId.delete(id);
    }
  }

  find(accessKeyId: string): CallerKey | undefined {
    return this.byAccessKeyId.get(accessKeyId);
  }
}

function newCredentials(): Credentials {
  return {
    accessKeyId: `LOCAL${randomBytes(8).toString('hex').slice(0, 15).toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64url'),
  };
}

/** Requests to directory buckets have another name of the service in their signatures. */
const SERVICES = ['s3', 's3express'];

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-create-session.html */
const SESSION_TOKEN = 'x-amz-s3session-token';

/** All others are `AuthorizationHeaderMalformed`. */
const CODES: Readonly<Partial<Record<SignatureFault, S3ErrorCode>>> = {
  'no-signature': 'AccessDenied',
  'unknown-key': 'InvalidAccessKeyId',
  'invalid-token': 'InvalidToken',
  'expired-token': 'ExpiredToken',
  skewed: 'RequestTimeTooSkewed',
  'unsigned-headers': 'AccessDenied',
  'no-match': 'SignatureDoesNotMatch',
};

export type Authenticated = ReturnType<typeof authenticate>;

export function authenticate(message: http.IncomingMessage, callers: Callers, region: string) {
  // Of Signature Version 2 or 4.
  if (['AWSAccessKeyId', 'X-Amz-Signature'].some((name) => queryOf(message.url ?? '/').has(name))) {
    throw notImplemented('presigned URLs: sign the request in its headers');
  }
  try {
    const { key, service } = verifySignature<CallerKey>(message, {
      find: (accessKeyId) => callers.find(accessKeyId),
      region,
      services: SERVICES,
      tokenHeaders: [SESSION_TOKEN],
    });
    const { caller, session } = key;
    if (message.headers['x-amz-content-sha256'] === undefined) {
      throw invalidRequest('Missing required header for this request: x-amz-content-sha256');
    }
    return { caller, session, service };
  } catch (error) {
    if (error instanceof SignatureError) throw translate(error);
    throw error;
  }
}

function translate({ fault, message, fields }: SignatureError): S3Error {
  if (fault === 'other-algorithm') {
    return invalidRequest(
      `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
    );
  }
  return new S3Error(CODES[fault] ?? 'AuthorizationHeaderMalformed', message, fields);
}

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-create-session.html. Only sessions sign for `s3express`, but a client
 * of the SDK for JavaScript that has used another bucket before signs for `s3` in a session too.
 */
export function checkScopeOf(
  { service, session }: Authenticated,
  request: { readonly bucket: string; readonly method: string },
  isDirectory: boolean,
): void {
  if (service === 's3express' && !isDirectory) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      'The authorization header is malformed; incorrect service "s3express". This endpoint belongs to "s3".',
    );
  }
  if (session === undefined) return;
  const writes = request.method !== 'GET' && request.method !== 'HEAD';
  if (session.bucket !== request.bucket || (session.readOnly && writes)) throw new S3Error('AccessDenied');
}
