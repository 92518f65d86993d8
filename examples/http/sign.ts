import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

/**
 * Signs a POST of JSON to an HTTP API, with the credentials and the region that the AWS SDK would use.
 *
 * @param region of the HTTP API
 * @returns the headers to send, beside the host. They are valid for five minutes
 */
export async function signedHeaders(
  url: string,
  body: string,
  region: string,
): Promise<Record<string, string>> {
  const { protocol, hostname, host, pathname: path } = new URL(url);
  const signer = new SignatureV4({
    service: 'execute-api',
    region,
    credentials: defaultProvider(),
    sha256: Sha256,
  });
  const unsigned = { host, 'content-type': 'application/json' };
  const { headers } = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    path,
    headers: unsigned,
    body,
  });
  // `fetch` adds the host itself.
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'host'));
}
