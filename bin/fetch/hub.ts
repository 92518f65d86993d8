/** Sends requests to the hub. Follows only safe redirects, sends the token to the hub alone, and ends a silent connection. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { printable, quoted, SlicedInferenceError } from '../../lib/errors';
import { formatBytes } from '../terminal/format';
import { printLine } from '../terminal/print';
import { clearProgress } from '../terminal/progress';
import { type HubModel, isSafe } from './settings';
import { statusRefusal } from './status';

/** The hub redirects once to its store of large files, and once if a model was renamed. */
const MAX_REDIRECTS = 5;
/** A page of a list with a thousand files has about 300 KB. */
const MAX_ANSWER_BYTES = 8 * 2 ** 20;
/** The waits before the second and each further attempt. */
const WAITS_MS = [200, 800, 2000];

const DEFAULT_ADVICE = 'check HF_ENDPOINT, or try again later';
const REACHABLE = 'be reachable';

/** The connection was lost, or the hub has a passing fault. Another attempt may succeed. */
export class LostConnection extends Error {}

const PASSING = /^(EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT)$/;

export class Hub {
  constructor(readonly model: HubModel) {}

  /** The JSON of an answer about the model, and the query of the next page of a list. */
  async json(path: string): Promise<{ value: unknown; next?: string }> {
    return await this.withRetries(async () => {
      const url = `${this.model.endpoint}/api/models/${this.model.repository}${path}`;
      const answer = await this.request(url);
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of this.chunks(answer)) {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES)
          throw this.refused(`an answer of more than ${formatBytes(MAX_ANSWER_BYTES)}`);
        parts.push(chunk);
      }
      // Only the query is used, so the next page comes from the hub even if the link names another host.
      const link = /<([^>]+)>;\s*rel="?next"?/.exec(String(answer.headers.link))?.[1];
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
  async request(address: string, range: http.OutgoingHttpHeaders = {}): Promise<http.IncomingMessage> {
    if (this.model.isOffline) {
      const advice = 'remove HF_HUB_OFFLINE, or pass --file and a --revision that the cache has';
      throw new SlicedInferenceError('the hub must be asked', 'HF_HUB_OFFLINE', advice);
    }
    let url = new URL(address);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await this.send(url, range);
      const { statusCode: status = 0, headers } = answer;
      if (status === 200 || status === 206) return answer;
      answer.destroy();
      if (status >= 500) throw new LostConnection(`the hub answered ${status}`);
      if (status < 300 || status > 399 || headers.location === undefined)
        throw statusRefusal(status, headers, this.model);
      url = this.redirected(url, headers.location);
    }
    throw this.refused(`more than ${MAX_REDIRECTS} redirects`);
  }

  /** @throws LostConnection if another attempt may succeed */
  async *chunks(answer: http.IncomingMessage): AsyncGenerator<Buffer> {
    try {
      yield* answer as AsyncIterable<Buffer>;
    } catch (error) {
      throw this.lost(error);
    }
  }

  private async send(url: URL, range: http.OutgoingHttpHeaders): Promise<http.IncomingMessage> {
    const { silenceMs, endpoint, token } = this.model;
    const isHub = url.origin === new URL(endpoint).origin;
    const headers = {
      ...range,
      'user-agent': 'node',
      // Ranges and sizes are those of the file, not of a compressed one.
      'accept-encoding': 'identity',
      ...(isHub && token !== undefined && { authorization: `Bearer ${token.text}` }),
    };
    const request = (url.protocol === 'http:' ? http : https).get(url, { headers, timeout: silenceMs });
    let answer: http.IncomingMessage | undefined;
    request.on('timeout', () => {
      const silence = new LostConnection(`the hub sent nothing for ${silenceMs / 1000} s`);
      (answer ?? request).destroy(silence);
    });
    // Once there is an answer, a lost connection is a fault of the answer too.
    request.on('error', () => undefined);
    try {
      [answer] = (await once(request, 'response')) as [http.IncomingMessage];
      return answer;
    } catch (error) {
      throw this.lost(error);
    }
  }

  private lost(error: unknown): Error {
    if (error instanceof LostConnection) return error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = printable(message) || String(code);
    if (PASSING.test(code ?? '')) return new LostConnection(`the connection was lost (${reason})`);
    return this.refused(reason, 'check the connection, the proxy and HF_ENDPOINT', REACHABLE);
  }

  private redirected(from: URL, location: string): URL {
    const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    // The query of a redirect may be a signature. So the message only has protocol and host.
    if (to === undefined) throw this.refused('a redirect to no address');
    if (isSafe(to) && (to.protocol === from.protocol || to.protocol === 'https:')) return to;
    const place = `${to.protocol}//${to.host}`;
    throw this.refused(`a redirect to ${quoted(place)}`, 'only https is followed; check HF_ENDPOINT');
  }

  refused(got: string, advice = DEFAULT_ADVICE, must = 'answer as the hub does'): SlicedInferenceError {
    return new SlicedInferenceError(`the hub at ${this.model.endpoint} must ${must}`, got, advice);
  }
}
