/** What a program needs to reach the servers of a local cloud. */
import type * as https from 'node:https';

/** How to reach the local S3 with the AWS SDK: pass it to `new S3Client()`. */
export interface S3Access {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Makes the SDK trust the local S3. Absent without TLS. */
  readonly requestHandler?: { readonly httpsAgent: https.Agent };
  /** The authority that other clients must trust. Absent without TLS. */
  readonly certificateAuthority?: CertificateAuthority;
}

/** Certificate of the authority that signed the local cloud's own. It is made at each start. */
export interface CertificateAuthority {
  readonly pem: string;
  /** A file with `pem`, for NODE_EXTRA_CA_CERTS and AWS_CA_BUNDLE. It exists until the cloud is closed. */
  readonly file: string;
}

/** How to reach the local Step Functions with the AWS SDK: pass it to `new SFNClient()`. */
export interface StepFunctionsAccess extends S3Access {
  /** Without it the SDK calls StartSyncExecution at the host `sync-127.0.0.1`, which does not exist. */
  readonly disableHostPrefix: true;
}
