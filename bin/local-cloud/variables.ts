/** The environment variables that point the AWS CLI and the AWS SDKs at a local cloud. */
import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { AUTHORITIES, cacheFolder } from '../../lib/cache/folder';
import { replaceFile } from '../../lib/host/folders';
import type { LocalCloud } from '../../local';

const HOST = '127.0.0.1';

type Environment = Readonly<Partial<Record<string, string>>>;

/**
 * The variables that the AWS SDKs and the AWS CLI read.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 * @param user the variables of the shell that will get these
 * @param authority the file with the certificate of the cloud's authority
 */
export function variables(
  { s3, stepFunctions, lambda, otherServicesEndpoint }: LocalCloud,
  user: Environment,
  authority = s3.certificateAuthority.file,
): Record<string, string> {
  const noProxy = withoutProxy(user);
  return {
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_SFN: stepFunctions.endpoint,
    AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint,
    AWS_ENDPOINT_URL: otherServicesEndpoint,
    // With `true`, from the shell or from a configuration file, requests would go to AWS.
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
    NODE_EXTRA_CA_CERTS: authority,
    AWS_CA_BUNDLE: authority,
    AWS_REGION: s3.region,
    // The AWS CLI reads this variable instead.
    AWS_DEFAULT_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    // Without it the AWS CLI and the SDK for Python call StartSyncExecution at the host sync-127.0.0.1.
    AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
    // Some programs read only one of them. Those that read both prefer the second one.
    NO_PROXY: noProxy,
    no_proxy: noProxy,
  };
}

/**
 * Writes the certificate of the authority into a file that stays when the cloud ends, because Node.js warns at each start of a file
 * that is gone. The next cloud with the same file of variables replaces it.
 *
 * @returns the path of the file; without a cache, of the one that ends with the cloud
 */
export function keptAuthority({ s3 }: LocalCloud, envFile: string): string {
  const { pem, file } = s3.certificateAuthority;
  const folder = cacheFolder(AUTHORITIES);
  if (folder === undefined) return file;
  const kept = path.join(folder, `${createHash('sha256').update(envFile).digest('hex')}.pem`);
  try {
    replaceFile(kept, pem);
    return kept;
  } catch {
    // A full disk, for example.
    return file;
  }
}

/** The hosts that are reached without a proxy, and this machine. `*` stands for all hosts only if it is alone. */
function withoutProxy(user: Environment): string {
  const hosts = [user.no_proxy, user.NO_PROXY].find((list) => list !== undefined && list !== '');
  if (hosts === undefined) return HOST;
  const known = hosts.split(',').map((host) => host.trim());
  return known.includes('*') || known.includes(HOST) ? hosts : `${hosts},${HOST}`;
}
