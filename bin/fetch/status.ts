/** What the hub's refusals mean. */
import type { IncomingHttpHeaders } from 'node:http';
import { printable, quoted, SlicedInferenceError } from '../../lib/errors';
import type { Explanation } from '../upload/s3-errors';
import type { HubModel } from './settings';

/** https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/utils/_http.py lists the codes. */
export function statusRefusal(
  status: number,
  headers: IncomingHttpHeaders,
  { repository, revision, endpoint, token }: HubModel,
): SlicedInferenceError {
  const code = String(headers['x-error-code'] ?? '');
  const model = `model ${quoted(repository)}`;
  const page = `${endpoint}/${repository}`;
  const terms = `accept its terms at ${page}, and set HF_TOKEN to a token of your account`;
  const pause = /^\d+$/.exec(headers['retry-after'] ?? '');
  const again = `try again ${pause ? `after ${pause[0]} s` : 'later'}, or set HF_TOKEN for a higher limit`;
  const meanings: Explanation[] = [
    [code === 'GatedRepo', `${model} must be open to you`, terms, 'a gated model'],
    [status === 403, `${model} must be open to you`, terms],
    [code === 'RevisionNotFound', `${model} must have the revision ${quoted(revision)}`, `look at ${page}`],
    ...(status === 401 && token ? [[true, `${token.source} must be valid`, token.advice] as const] : []),
    // The hub does not tell a private model from one that does not exist.
    [
      status === 401 || status === 404,
      `${model} must exist and be public`,
      'check the name; for a private model, set HF_TOKEN',
    ],
    [status === 429, 'the hub must not be asked too often', again],
  ];
  const [, what, advice, got = `status ${status} from the hub`] = meanings.find(([applies]) => applies) ?? [
    ...([true, `${model} must be readable`, `look at ${page}`] as const),
    `status ${status} ${printable(code)}`.trim(),
  ];
  return new SlicedInferenceError(what, got, advice);
}
