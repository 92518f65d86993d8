/** The keys of a batch's results. They depend on the item, on what its request contains and on the deployment, so a result that is there is right. */
import { createHash } from 'node:crypto';
import type { BatchSettings } from '../../contract/batch-function';
import { INPUTS_PREFIX } from '../../contract/keys';

/** Hexadecimal digits of digests in a key. Few deployments share a prefix. Contents may come from strangers, so theirs has 128 bits. */
const DIGITS = { deployment: 12, content: 32 };

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024;

/** Segments that change a path, and characters without UTF-8. */
const UNSAFE = /(?:^|\/)\.{1,2}(?:\/|$)|\p{Surrogate}/u;

/** Without its extension: `outputs/<batch>/<deployment>/<item>.<content>`. */
export function resultName(
  { resultsPrefix, deploymentDigest, handlerDigest }: BatchSettings,
  item: string,
  content: string,
): string {
  const deployment =
    handlerDigest === undefined ? deploymentDigest : digest(`${deploymentDigest} ${handlerDigest}`);
  const folder = `${resultsPrefix}${deployment.slice(0, DIGITS.deployment)}/`;
  const name = item.startsWith(INPUTS_PREFIX) ? item.slice(INPUTS_PREFIX.length) : item;
  const end = `.${digest(content).slice(0, DIGITS.content)}`;
  const key = `${folder}${name}${end}`;
  const room = MAX_KEY_BYTES - '.safetensors'.length;
  if (!UNSAFE.test(name) && !name.startsWith('/') && Buffer.byteLength(key) <= room) return key;
  return `${folder}${digest(name)}${end}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
