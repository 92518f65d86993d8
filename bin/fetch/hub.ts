/** Sends requests to the hub. Follows only safe redirects, sends the token to the hub alone, and ends a silent connection. */
import { setTimeout as wait } from 'node:timers/promises';
import { printable, quoted, SlicedInferenceError } from '../../lib/errors';
import { formatBytes } from '../terminal/format';
import { printLine } from '../terminal/print';
import { clearProgress } from '../terminal/progress';
import { type HubSettings, isSafe } from './settings';
import { type Subject, statusRefusal } from './status';

/** The hub redirects once to its store of large files, and once if a model was renamed. */
const MAX_REDIRECTS = 5;
/** A page of a list with a thousand files has about 300 KB. */
const MAX_ANSWER_BYTES = 8 * 2 ** 20;
/** The waits before the second and each further attempt. */
const WAITS_MS = [200, 800, 2000];

const DEFAULT_ADVICE = 'check HF_ENDPOINT, or try again later';
const REACHABLE = 'be reachable';

export interface HubAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** The connection was lost, or the hub has a passing fault. Another attempt may succeed. */
export class LostConnection extends Error {}

const PASSING = /^(EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT|UND_ERR_\w+)$/;

export class Hub {
  constructor(readonly settings: HubSettings) {}

  /** The JSON of an answer, and the query of the next page of a list. */
  async json(path: string, subject: Subject): Promise<{ value: unknown; next?: string }> {
    return await this.withRetries(async () => {
      const url = `${this.settings.endpoint}${path}`;
      const { headers, chunks } = await this.request(url, subject);
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES)
          throw this.refused(`an answer of more than ${formatBytes(MAX_ANSWER_BYTES)}`);
        parts.push(chunk);
      }
      // Only the query is used, so the next page comes from the hub even if the link names another host.
      const link = /<([^>]+)>;\s*rel="?next"?/.exec(headers.get('link') ?? '')?.[1];
      const next = link !== undefined && URL.canParse(link, url) ? new URL(link, url).search : undefined;
      try {
        const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
        return { value, ...(next !== undefined && { next }) };
      } catch {
        throw this.refused('an answer that is not JSON');
      }
    });
  }

  /** Runs an attempt again after a pause if the connection was lost. Progress starts the count anew. */
  async withRetries<Result>(attempt: () => Promise<Result>, progress = () => 0): Promise<Result> {
    for (let failures = 0, last = progress(); ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof LostConnection)) throw error;
        if (progress() > last) failures = 0;
        last = progress();
        if (failures >= WAITS_MS.length)
          throw this.refused(error.message, 'run the command again later to continue', REACHABLE);
        clearProgress();
        printLine(`note: ${error.message}: trying again (${failures + 1} of ${WAITS_MS.length})`);
        await wait(WAITS_MS[failures]);
      }
    }
  }

  /** @throws LostConnection if another attempt may succeed */
  async request(address: string, subject: Subject, range: Record<string, string> = {}): Promise<HubAnswer> {
    if (this.settings.isOffline) {
      const advice = 'remove HF_HUB_OFFLINE, or pass --file and a --revision that the cache has';
      throw new SlicedInferenceError('the hub must be asked', 'HF_HUB_OFFLINE', advice);
    }
    let url = new URL(address);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await this.send(url, range);
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status > 399 || location === null) return this.good(answer, subject);
      await discard(answer);
      url = this.redirected(url, location);
    }
    throw this.refused(`more than ${MAX_REDIRECTS} redirects`);
  }

  private async send(url: URL, range: Record<string, string>): Promise<HubAnswer> {
    const { silenceMs, endpoint, token } = this.settings;
    const isHub = url.origin === new URL(endpoint).origin;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort();
    }, silenceMs);
    const lost = (error: unknown): Error => {
      const cause = (error as { cause?: NodeJS.ErrnoException }).cause ?? (error as NodeJS.ErrnoException);
      if (controller.signal.aborted)
        return new LostConnection(`the hub sent nothing for ${silenceMs / 1000} s`);
      const reason = printable(cause.message) || String(cause.code);
      if (PASSING.test(cause.code ?? '')) return new LostConnection(`the connection was lost (${reason})`);
      return this.refused(reason, 'check the connection, the proxy and HF_ENDPOINT', REACHABLE);
    };
    try {
      const { status, headers, body } = await fetch(url, {
        redirect: 'manual',
        signal: controller.signal,
        headers: {
          ...range,
          // Ranges and sizes are those of the file, not of a compressed one.
          'accept-encoding': 'identity',
          ...(isHub && token !== undefined && { authorization: `Bearer ${token.text}` }),
        },
      });
      return { status, headers, chunks: watched(body, timer, lost) };
    } catch (error) {
      clearTimeout(timer);
      throw lost(error);
    }
  }

  private redirected(from: URL, location: string): URL {
    const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    // The query of a redirect may be a signature. So the message only has protocol and host.
    if (to === undefined) throw this.refused('a redirect to no address');
    if (isSafe(to) && (to.protocol === from.protocol || to.protocol === 'https:')) return to;
    const place = `${to.protocol}//${to.host}`;
    throw this.refused(`a redirect to ${quoted(place)}`, 'only https is followed; check HF_ENDPOINT');
  }

  private async good(answer: HubAnswer, subject: Subject): Promise<HubAnswer> {
    const { status, headers } = answer;
    if (status === 200 || status === 206) return answer;
    await discard(answer);
    if (status >= 500) throw new LostConnection(`the hub answered ${status}`);
    throw statusRefusal(status, headers, subject, this.settings);
  }

  refused(got: string, advice = DEFAULT_ADVICE, must = 'answer as the hub does'): SlicedInferenceError {
    return new SlicedInferenceError(`the hub at ${this.settings.endpoint} must ${must}`, got, advice);
  }
}

/** The chunks of a body. Each chunk restarts the timer that ends a silent connection. */
async function* watched(
  body: AsyncIterable<Uint8Array> | null,
  timer: NodeJS.Timeout,
  lost: (error: unknown) => Error,
): AsyncGenerator<Uint8Array> {
  const chunks = (body ?? []) as AsyncIterable<Uint8Array>;
  try {
    for await (const chunk of chunks) {
      timer.refresh();
      yield chunk;
    }
  } catch (error) {
    throw lost(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Ends an answer that nobody reads: otherwise its connection would keep the command alive. */
export async function discard({ chunks }: HubAnswer): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  // Only an iterator that has begun closes the connection when it returns.
  await iterator.next();
  await iterator.return?.();
}
