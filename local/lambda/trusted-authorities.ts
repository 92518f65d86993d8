/** Lets a function trust the local S3 besides the authorities of its own choice. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { systemErrorCode } from '../local-cloud-error';

type Environment = Readonly<Partial<Record<string, string>>>;

/**
 * Node.js reads one file of further authorities. AWS advises functions to set it to /var/runtime/ca-cert.pem, which has the
 * authorities of Amazon: https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html#nodejs-environment
 * The joined file is made beside the temporary folder, because it does not count to the size of `/tmp`.
 */
export function trustedAuthorities(
  { NODE_EXTRA_CA_CERTS: ours }: Environment,
  { NODE_EXTRA_CA_CERTS: own }: Environment,
  codeFolder: string,
  temporaryFolder: string,
): Record<string, string> {
  if (ours === undefined) return {};
  if (own === undefined || own === '') return { NODE_EXTRA_CA_CERTS: ours };
  const file = `${temporaryFolder}-authorities.pem`;
  // On Lambda the code is in /var/task, where functions start.
  const ownFile = path.resolve(codeFolder, own.replace(/^\/var\/task\//, ''));
  fs.writeFileSync(file, `${fs.readFileSync(ours, 'utf8')}\n${readIfThere(ownFile)}`);
  return { NODE_EXTRA_CA_CERTS: file };
}

/** Node.js warns of a file that it cannot read, and starts without it. */
function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return '';
  }
}
