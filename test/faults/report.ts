/** Counts what happened under faults, and prints it as a table by kind. */
import { FAULT_KINDS, type FaultKind, type InjectedFault } from '../../local';
import type { Verdict } from './judge';
import type { Played, Round } from './round';

/** Faults of an execution that a report of a violation lists at most. */
const MAX_LISTED = 30;

const OUTCOMES = ['identical', 'failed', 'wrong', 'mixed', 'unexplained'] as const;

export class Report {
  private readonly played: Played[] = [];
  private readonly damage: string[] = [];
  private readonly leftovers: string[] = [];
  private objects = 0;
  private readonly start = performance.now();

  /** @param flags the arguments that repeat an execution, without its number */
  constructor(private readonly flags: string) {}

  /** Counts a round and returns the text to print about its violations. */
  add({ played, damage, objects }: Round): string {
    this.played.push(...played);
    this.damage.push(...damage);
    this.objects += objects;
    return lines([...played.filter(isViolation).map((execution) => this.describe(execution)), ...damage]);
  }

  /** Counts what is left when everything is closed, and returns the text to print about it. */
  addLeftovers(leftovers: readonly string[]): string {
    this.leftovers.push(...leftovers);
    return lines(leftovers.map((left) => `left: ${left}`));
  }

  get failed(): boolean {
    return this.damage.length > 0 || this.leftovers.length > 0 || this.played.some(isViolation);
  }

  table(): string {
    const rows = FAULT_KINDS.map((kind) => this.row(kind));
    return columns([['fault', 'injected', 'runs hit', 'succeeded', 'failed', 'with'], ...rows]);
  }

  summary(): string {
    const { played } = this;
    const count = (outcome: Verdict['outcome']): number =>
      played.filter(({ verdict }) => verdict.outcome === outcome).length;
    const hit = played.filter(({ faults }) => faults.length > 0).length;
    const redriven = played.flatMap((execution) => execution.redriven ?? []);
    const again = redriven.filter(({ outcome }) => outcome === 'identical').length;
    const seconds = Math.round((performance.now() - this.start) / 1000);
    return [
      `${played.length} executions in ${seconds} s with ${this.flags}: ${hit} (${percent(hit, played.length)}) were hit by ${played.reduce((sum, { faults }) => sum + faults.length, 0)} faults`,
      OUTCOMES.map((outcome) => `${outcome} ${count(outcome)}`).join(', '),
      `redriven without faults: ${redriven.length}, identical ${again}`,
      `objects of runs and results: ${this.objects}, damaged or unfinished ${this.damage.length}`,
      `processes, sockets and files left: ${this.leftovers.length}`,
      '',
    ].join('\n');
  }

  private row(kind: FaultKind): string[] {
    const hit = this.played.filter(({ faults }) => faults.some((fault) => fault.kind === kind));
    const injected = this.played
      .flatMap(({ faults }) => faults)
      .filter((fault) => fault.kind === kind).length;
    const failed = hit.flatMap(({ verdict }) =>
      verdict.outcome === 'failed' && verdict.because.includes(kind) ? [verdict.error] : [],
    );
    const succeeded = hit.filter(({ verdict }) => verdict.outcome === 'identical').length;
    return [kind, injected, hit.length, succeeded, failed.length, tally(failed)].map(String);
  }

  private describe(execution: Played): string {
    const { verdict, redriven } = execution;
    const what = 'what' in verdict ? verdict.what : 'its redrive did not return the result';
    const after = redriven === undefined ? '' : `; redriven: ${JSON.stringify(redriven)}`;
    return [
      `execution ${execution.execution} ${verdict.outcome}: ${what}${after}`,
      ...execution.faults.slice(0, MAX_LISTED).map(describeFault),
      `  npm run faults -- ${this.flags} --only ${execution.execution}`,
    ].join('\n');
  }
}

export function isViolation({ verdict, redriven }: Played): boolean {
  const ends = verdict.outcome === 'identical' || verdict.outcome === 'failed';
  return !ends || (redriven !== undefined && redriven.outcome !== 'identical');
}

function describeFault({ kind, place, time }: InjectedFault): string {
  return `  ${new Date(time).toISOString()} ${kind} at ${place}`;
}

/** Such as `CorruptTensor 3, StorageUnavailable 1`. */
function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const last = widths.length - 1;
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 || column === last ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
