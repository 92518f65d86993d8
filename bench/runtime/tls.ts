/** Measures what TLS costs, against plain HTTP: the download of a slice's weights, and cold and warm runs. */
import * as path from 'node:path';
import { makeServerCertificate } from '../../local/tls/certificate';
import { formatSpread, spread } from '../measure';
import { formatTable } from '../table';
import { Site } from './download';
import type { Download } from './download-child';
import type { Subjects } from './subjects';

const PROTOCOLS = ['plain HTTP', 'TLS'] as const;
type Samples<T> = Record<(typeof PROTOCOLS)[number], T[]>;

/** The server and the downloading process share this machine's processors, so this is the most that TLS can cost. */
export async function benchTlsDownload(folder: string, bytes: number, rounds: number): Promise<string> {
  const sites = {
    'plain HTTP': await Site.start(path.join(folder, 'http'), bytes),
    TLS: await Site.start(path.join(folder, 'https'), bytes, makeServerCertificate()),
  };
  const downloads: Samples<Download> = { 'plain HTTP': [], TLS: [] };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const protocol of inTurns(round)) downloads[protocol].push(await sites[protocol].download());
    }
  } finally {
    for (const site of Object.values(sites)) await site.close();
  }
  const rows = PROTOCOLS.map((protocol) => {
    const ratio = (of: (download: Download) => number): string =>
      formatSpread(
        spread(downloads[protocol].map((each, round) => of(each) / of(downloads['plain HTTP'][round]))),
        2,
      );
    return [
      protocol,
      formatSpread(spread(downloads[protocol].map(({ ms }) => ms)), 0),
      ratio(({ ms }) => ms),
      formatSpread(spread(downloads[protocol].map(({ cpuMs }) => cpuMs / (bytes / 1e6))), 2),
      ratio(({ cpuMs }) => cpuMs),
    ];
  });
  const title = `download of ${bytes / 1e6} MB`;
  return formatTable([title, 'ms', 'ratio', "function's CPU ms per MB", 'ratio'], rows);
}

export async function benchTlsRuns(subjects: Subjects, rounds: number): Promise<string> {
  // Without warm-ups: they would compete with the running slice for this machine's processors.
  const deployments = {
    'plain HTTP': await subjects.start('sliced, no warm-up', {}, false),
    TLS: await subjects.start('sliced, no warm-up', {}, true),
  };
  const cold: Samples<number> = { 'plain HTTP': [], TLS: [] };
  const warm: Samples<number> = { 'plain HTTP': [], TLS: [] };
  try {
    for (const protocol of PROTOCOLS) await deployments[protocol].run();
    for (let round = 0; round < rounds; round++) {
      for (const protocol of inTurns(round)) warm[protocol].push((await deployments[protocol].run()).ms);
    }
    for (let round = 0; round < Math.ceil(rounds / 5); round++) {
      for (const protocol of inTurns(round)) {
        await deployments[protocol].makeCold();
        subjects.claimMemory();
        cold[protocol].push((await deployments[protocol].run()).ms);
      }
    }
  } finally {
    for (const deployment of Object.values(deployments)) await deployment.close();
  }
  const ratios = (samples: Samples<number>, protocol: (typeof PROTOCOLS)[number]): string =>
    formatSpread(spread(samples[protocol].map((ms, round) => ms / samples['plain HTTP'][round])), 2);
  const rows = PROTOCOLS.map((protocol) => [
    protocol,
    formatSpread(spread(cold[protocol]), 0),
    ratios(cold, protocol),
    formatSpread(spread(warm[protocol]), 0),
    ratios(warm, protocol),
  ]);
  return formatTable(['a run', 'cold ms', 'ratio', 'warm ms', 'ratio'], rows);
}

/** The protocols, each first in every other round, because the second one finds the processor's caches filled. */
function inTurns(round: number): readonly (typeof PROTOCOLS)[number][] {
  return round % 2 === 0 ? PROTOCOLS : [...PROTOCOLS].reverse();
}
