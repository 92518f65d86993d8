/** Looks for what a closed local cloud must not leave: processes, sockets and files. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** How long the system may take to end what was closed, in milliseconds. */
const PATIENCE_MS = 5_000;

/** @param folder the temporary folder, which has `known` files already */
export async function leftovers(folder: string, known: readonly string[]): Promise<string[]> {
  const endsAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = [...processes(), ...sockets(), ...files(folder, known)];
    if (found.length === 0 || Date.now() >= endsAt) return found;
    await delay(50);
  }
}

function processes(): string[] {
  const ps = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  if (ps.status !== 0) throw new Error(`ps failed: ${ps.error?.message ?? ps.stderr}`);
  return ps.stdout.split('\n').flatMap((line) => {
    const [, pid, parent, args = ''] = /^ *(\d+) +(\d+) +(.*)$/.exec(line) ?? [];
    return Number(parent) === process.pid && Number(pid) !== ps.pid ? [`process ${args}`] : [];
  });
}

function sockets(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((resource) => /TCP|TLS/.test(resource))
    .map((resource) => `socket ${resource}`);
}

function files(folder: string, known: readonly string[]): string[] {
  return fs
    .readdirSync(folder)
    .filter((name) => !known.includes(name))
    .map((name) => `file ${name}`);
}
