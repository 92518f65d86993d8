/**
 * The callers of the local S3: the cloud itself, each sandbox of a function, and sessions for directory buckets. Each has its
 * own access key.
 */
import { randomBytes } from 'node:crypto';
import type { AccessKey } from '../http/signature-v4';
import type { FaultTarget } from '../faults/target';
import type { Principal } from '../iam/principals';
import type { Traffic } from '../simulation/traffic';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface TemporaryCredentials extends Credentials {
  readonly sessionToken: string;
}

export interface Caller {
  readonly accessKeyId: string;
  /** The caller's principal in IAM. A caller without a principal may make every request. */
  readonly principal?: Principal;
  readonly traffic?: Traffic;
  /** The function's sandbox, which faults may hit. The requests of other callers are never hit. */
  readonly target?: FaultTarget;
}

type NewCaller = Omit<Caller, 'accessKeyId'>;

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

  add(caller: NewCaller = {}): Credentials {
    const credentials = newCredentials();
    this.byAccessKeyId.set(credentials.accessKeyId, {
      secretAccessKey: credentials.secretAccessKey,
      caller: { ...caller, accessKeyId: credentials.accessKeyId },
    });
    return credentials;
  }

  addTemporary(caller: NewCaller = {}): TemporaryCredentials {
    const { accessKeyId, secretAccessKey } = newCredentials();
    const sessionToken = newToken();
    this.byAccessKeyId.set(accessKeyId, {
      secretAccessKey,
      sessionToken,
      caller: { ...caller, accessKeyId },
    });
    return { accessKeyId, secretAccessKey, sessionToken };
  }

  /** Adds credentials with which a caller uses one directory bucket. @param expires epoch milliseconds */
  addSession(caller: Caller, session: Session, expires: number): TemporaryCredentials {
    const { accessKeyId, secretAccessKey } = newCredentials();
    const sessionToken = newToken();
    this.byAccessKeyId.set(accessKeyId, { secretAccessKey, sessionToken, expires, caller, session });
    return { accessKeyId, secretAccessKey, sessionToken };
  }

  remove({ accessKeyId }: Pick<Credentials, 'accessKeyId'>): void {
    for (const [id, { caller }] of this.byAccessKeyId) {
      if (caller.accessKeyId === accessKeyId) this.byAccessKeyId.delete(id);
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

function newToken(): string {
  return randomBytes(96).toString('base64');
}
