/** Why the HTTP API refuses a signature, for notices. They have no text of the request, of which each would be another notice. */
import type { SignatureFault } from '../http/signature-error';

const REASONS: Readonly<Record<SignatureFault, string>> = {
  'no-signature': 'it is not signed',
  'other-algorithm': 'it is signed with another algorithm than AWS4-HMAC-SHA256',
  malformed: 'its signature is malformed',
  'wrong-region': 'it is signed for another region',
  'wrong-service': 'it is signed for another service than execute-api',
  'unknown-key': 'nobody has its access key',
  'invalid-token': 'its session token is not that of its access key',
  'expired-token': 'its session token has expired',
  skewed: 'it was signed more than 15 minutes before or after it arrived',
  'not-valid-yet': 'its signature is not valid yet',
  expired: 'its signature has expired',
  'unsigned-headers': 'the host or a header x-amz-* is not signed',
  'no-match':
    'its signature does not match: check the secret access key, and that nothing changed the request after it was signed',
};

/** @param region that of the API */
export function reasonOf(fault: SignatureFault, region: string): string {
  return fault === 'wrong-region' ? `${REASONS[fault]} than ${region}` : REASONS[fault];
}
