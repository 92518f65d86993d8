/**
 * The sessions of directory buckets. The SDK's own provider keeps the failure of a session for ever, so that one failed
 * CreateSession fails all later calls of the process, and does not handle a failed renewal, which ends the process.
 */
import type { CreateSessionCommandOutput, S3ClientConfig } from '@aws-sdk/client-s3';

type Provider = NonNullable<S3ClientConfig['s3ExpressIdentityProvider']>;
type Session = Awaited<ReturnType<Provider['getS3ExpressIdentity']>>;

/** A session is renewed when it ends in less than this. Sessions last five minutes. */
const RENEWAL_MS = 60_000;

export class ExpressSessions implements Provider {
  private readonly sessions = new Map<string, Promise<Session>>();

  constructor(private readonly create: (bucket: string) => Promise<CreateSessionCommandOutput>) {}

  async getS3ExpressIdentity(
    _identity: Parameters<Provider['getS3ExpressIdentity']>[0],
    { Bucket: bucket }: Parameters<Provider['getS3ExpressIdentity']>[1],
  ): Promise<Session> {
    const current = this.sessions.get(bucket) ?? this.begin(bucket);
    const session = await current;
    const left = (session.expiration?.getTime() ?? 0) - Date.now();
    if (left > RENEWAL_MS) return session;
    const latest = this.sessions.get(bucket);
    // Another request may have begun to renew it.
    const renewed = latest === undefined || latest === current ? this.begin(bucket) : latest;
    // The old session is good until its end.
    return left > 0 ? renewed.catch(() => session) : renewed;
  }

  private begin(bucket: string): Promise<Session> {
    const session = this.create(bucket).then(sessionOf);
    this.sessions.set(bucket, session);
    session.catch(() => {
      if (this.sessions.get(bucket) === session) this.sessions.delete(bucket);
    });
    return session;
  }
}

function sessionOf({ Credentials: credentials }: CreateSessionCommandOutput): Session {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) {
    throw new Error('S3 must answer CreateSession with credentials, got none');
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    ...(Expiration && { expiration: Expiration }),
  };
}
