/** Counts what happened under faults, and prints it as a table by kind. */
import { formatTable } from '../../bin/terminal/format';
import { FAULT_KINDS, type FaultKind } from '../../local';
import { OUTCOMES } from './judge';
import type { Played, PlayedRound } from './round';

/** Faults of an execution that a report of a violation lists at most. */
const MAX_LISTED = 30;

export class Report {
  private readonly played: Played[] = [];
  private readonly others: string[] = [];
  private objects = 0;
  private readonly start = performance.now();

  /** @param flags the arguments that repeat an execution, without its number */
  constructor(private readonly flags: string) {}

  /** Counts a round and returns the text to print about its violations. */
  add({ played, stray, objects }: PlayedRound): string {
    this.played.push(...played);
    this.objects += objects;
    const described = played.filter(isWrong).map((execution) => this.describe(execution));
    return lines(described) + this.addOthers(stray);
  }

  /** Counts violations that belong to no execution, and returns the text to print about them. */
  addOthers(violations: readonly string[]): string {
    this.others.push(...violations);
    return lines(violations);
  }

  get failed(): boolean {
    return this.others.length > 0 || this.played.some(isWrong);
  }

  table(): string {
    const head = ['fault', 'injected', 'runs hit', 'succeeded', 'failed', 'with'];
    return `${formatTable(
      head,
      FAULT_KINDS.map((kind) => this.row(kind)),
    )}\n`;
  }

  summary(): string {
    const { played, flags, objects, others } = this;
    const hit = played.filter(({ faults }) => faults.length > 0).length;
    const faults = played.reduce((sum, each) => sum + each.faults.length, 0);
    const outcomes = OUTCOMES.map(
      (outcome) => `${outcome} ${played.filter(({ verdict }) => verdict.outcome === outcome).length}`,
    );
    const seconds = Math.round((performance.now() - this.start) / 1000);
    return lines([
      `${played.length} executions in ${seconds} s with ${flags}: ${hit} were hit by ${faults} faults`,
      outcomes.join(', '),
      `with consolidation: served by ${tally(played.flatMap(({ servedBy = [] }) => servedBy))}`,
      `objects of runs and results: ${objects}`,
      `faults, objects, processes, sockets and files of no execution: ${others.length}`,
    ]);
  }

  private row(kind: FaultKind): (string | number)[] {
    const hit = this.played.filter(({ faults }) => faults.some((fault) => fault.kind === kind));
    const injected = hit.flatMap(({ faults }) => faults).filter((fault) => fault.kind === kind).length;
    const failed = hit.flatMap(({ verdict }) =>
      verdict.outcome === 'failed' && verdict.because.includes(kind) ? [verdict.error] : [],
    );
    const succeeded = hit.filter(({ verdict }) => verdict.outcome === 'identical').length;
    return [kind, injected, hit.length, succeeded, failed.length, tally(failed)];
  }

  private describe({ execution, verdict, faults }: Played): string {
    const what = 'what' in verdict ? `: ${verdict.what}` : '';
    return [
      `execution ${execution} ${verdict.outcome}${what}`,
      ...faults
        .slice(0, MAX_LISTED)
        .map(({ kind, place, time }) => `  ${new Date(time).toISOString()} ${kind} at ${place}`),
      `  npm run faults -- ${this.flags} --only ${execution}`,
    ].join('\n');
  }
}

function isWrong({ verdict }: Played): boolean {
  return 'what' in verdict;
}

/** Such as `CorruptTensor 3, StorageUnavailable 1`. */
function tally(names: readonly string[]): string {
  const distinct = [...new Set(names)];
  return (
    distinct.map((name) => `${name} ${names.filter((each) => each === name).length}`).join(', ') || 'none'
  );
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
