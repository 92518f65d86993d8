/** What a program needs to reach the servers of a local cloud. */
import * as fs from 'node:fs';
import type * as https from 'node:https';
import * as path from 'node:path';
import { makeServerCertificate } from '../http/certificate';

/** How to reach the local S3 with the AWS SDK: pass it to `new S3Client()`. */
export interface S3Access {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Makes the SDK trust the local S3. */
  readonly requestHandler: { readonly httpsAgent: https.Agent };
  /** The authority that other clients must trust. */
  readonly certificateAuthority: CertificateAuthority;
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

export function makeCertificate(folder: string) {
  const certificate = makeServerCertificate();
  const file = path.join(folder, 'certificate-authority.pem');
  fs.writeFileSync(file, certificate.authority);
  return { certificate, authority: { pem: certificate.authority, file } };
}
