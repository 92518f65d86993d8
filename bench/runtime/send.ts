/** Measures what TLS costs when a function writes a large tensor, against plain HTTP. */
import * as path from 'node:path';
import { formatSpread, inChild, spread } from '../measure';
import { formatTable } from '../table';
import type { Sent } from './send-child';
import { PROTOCOLS, startSink, type Protocol } from './sink';

const MEGABYTES = 256;
const CHILD = path.join(__dirname, 'send-child.js');

export async function benchSend(rounds: number): Promise<string> {
  const sent: Record<Protocol, Sent[]> = { http: [], https: [] };
  for (let round = 0; round < rounds; round++) {
    for (const protocol of PROTOCOLS) {
      const sink = await startSink(protocol);
      sent[protocol].push(
        await inChild(CHILD, { endpoint: sink.endpoint, ca: sink.ca, megabytes: MEGABYTES }),
      );
      await sink.close();
    }
  }
  const rows = PROTOCOLS.map((protocol) => [
    protocol === 'http' ? 'plain HTTP' : 'TLS',
    formatSpread(spread(sent[protocol].map(({ ms }) => ms)), 0),
    formatSpread(spread(sent[protocol].map(({ ms }, round) => ms / sent.http[round].ms)), 2),
    formatSpread(spread(sent[protocol].map(({ extraMemoryBytes }) => extraMemoryBytes / 1e6 / MEGABYTES)), 3),
  ]);
  return formatTable([`PUT of ${MEGABYTES} MB`, 'ms', 'ratio', 'more memory in tensor sizes'], rows);
}
