/**
 * The sessions of directory buckets. The SDK's own provider keeps the failure of a session for ever, so that one failed
 * CreateSession fails all later calls of the process, and does not handle a failed renewal, which ends the process.
 */
import { S3ServiceException, type CreateSessionCommandOutput, type S3ClientConfig } from '@aws-sdk/client-s3';

type Provider = NonNullable<S3ClientConfig['s3ExpressIdentityProvider']>;
type Session = Awaited<ReturnType<Provider['getS3ExpressIdentity']>>;

/** A session is renewed when it ends in less than this. Sessions last five minutes. */
const RENEWAL_MS = 60_000;

/** What S3 answers to a request with other credentials than it has sent, or with a session that has ended. */
const REFUSALS: readonly string[] = [
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
];

/** Printable ASCII: anything else cannot be sent in a header. */
const SENDABLE = /^[\x21-\x7e]+$/;

export class ExpressSessions implements Provider {
  private readonly sessions = new Map<string, Promise<Session>>();
  private readonly awaited = new Set<string>();

  constructor(private readonly create: (bucket: string) => Promise<CreateSessionCommandOutput>) {}

  getS3ExpressIdentity(
    _identity: Parameters<Provider['getS3ExpressIdentity']>[0],
    { Bucket: bucket }: Parameters<Provider['getS3ExpressIdentity']>[1],
  ): Promise<Session> {
    return this.of(bucket);
  }

  async of(bucket: string): Promise<Session> {
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

  /**
   * Forgets the session if S3 refuses it: nothing but the next request shows that the network damaged it. Otherwise a warm
   * function could not use the bucket for minutes.
   * @returns an error that counts as temporary if S3 refused the session; otherwise `error`
   */
  refused(bucket: string, error: unknown): unknown {
    if (!(error instanceof S3ServiceException) || !REFUSALS.includes(error.name)) return error;
    if (!this.sessions.delete(bucket)) return error;
    return new Error(`S3 refused the session for the bucket ${bucket}: ${error.name}`);
  }

  /** Forgets sessions that have not arrived, whose requests may be lost when Lambda freezes the process. The next request asks again. */
  forgetAwaited(): void {
    for (const bucket of this.awaited) this.sessions.delete(bucket);
    this.awaited.clear();
  }

  private begin(bucket: string): Promise<Session> {
    const session = this.create(bucket).catch(throwReadable).then(sessionOf);
    this.sessions.set(bucket, session);
    this.awaited.add(bucket);
    const settled = (): boolean => this.sessions.get(bucket) === session && this.awaited.delete(bucket);
    session.then(settled, () => {
      if (settled()) this.sessions.delete(bucket);
    });
    return session;
  }
}

/** Damaged XML says nothing about the bucket, so its error must not look like a permanent one. */
function throwReadable(error: unknown): never {
  const isUnreadable =
    error instanceof Error && '$response' in error && !(error instanceof S3ServiceException);
  if (!isUnreadable) throw error;
  throw new Error(`S3's answer to CreateSession cannot be read: ${error.message.split('\n', 1)[0]}`);
}

function sessionOf({ Credentials: credentials }: CreateSessionCommandOutput): Session {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) {
    throw new Error('S3 must answer CreateSession with credentials, got none');
  }
  if (![AccessKeyId, SecretAccessKey, SessionToken].every((text) => SENDABLE.test(text))) {
    throw new Error('S3 must answer CreateSession with printable credentials, got others');
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    ...(Expiration && { expiration: Expiration }),
  };
}
