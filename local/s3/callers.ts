/** The callers of the local S3: the cloud itself and each sandbox of a function. Each has its own access key. */
import { randomBytes } from 'node:crypto';
import type { Principal } from '../iam/principals';
import type { Traffic } from '../simulation/traffic';

interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Caller {
  readonly accessKeyId: string;
  /** Who the caller is for IAM. A caller without a principal may do anything. */
  readonly principal?: Principal;
  /** Limits the speed at which the caller sends and receives. */
  readonly traffic?: Traffic;
}

export class Callers {
  private readonly byAccessKeyId = new Map<string, Caller>();

  add(caller: Omit<Caller, 'accessKeyId'> = {}): S3Credentials {
    const accessKeyId = `LOCAL${randomBytes(8).toString('hex').slice(0, 15).toUpperCase()}`;
    this.byAccessKeyId.set(accessKeyId, { ...caller, accessKeyId });
    return { accessKeyId, secretAccessKey: randomBytes(30).toString('base64url') };
  }

  remove({ accessKeyId }: Pick<S3Credentials, 'accessKeyId'>): void {
    this.byAccessKeyId.delete(accessKeyId);
  }

  find(accessKeyId: string): Caller | undefined {
    return this.byAccessKeyId.get(accessKeyId);
  }
}
