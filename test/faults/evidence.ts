/** What the local cloud tells of executions: the faults that hit them, and the objects that they wrote. */
import type { ObjectReference } from '../../client';
import type { InjectedFault, LocalCloudOptions } from '../../local';

/** Objects of runs. Others are requests, and the claims of loaders, which are replaced. */
const OF_RUNS = /^(runs|outputs)\/.*\.safetensors$/;

/** An object and how often it was written. */
export interface Written extends ObjectReference {
  readonly times: number;
}

export class Evidence {
  private readonly struck: InjectedFault[] = [];
  private readonly writes = new Map<string, Written>();

  readonly onFault = (fault: InjectedFault): void => {
    this.struck.push(fault);
  };

  readonly onWrite: NonNullable<LocalCloudOptions['onWrite']> = ({ bucket, object: { key } }) => {
    if (!OF_RUNS.test(key)) return;
    const place = `${bucket}/${key}`;
    this.writes.set(place, { bucket, key, times: (this.writes.get(place)?.times ?? 0) + 1 });
  };

  faultsOf(execution: number): InjectedFault[] {
    return this.struck.filter(({ run }) => executionOf(run) === execution);
  }

  written(): Written[] {
    return [...this.writes.values()];
  }

  /** Faults and objects that belong to no execution. */
  stray(): string[] {
    return [
      ...this.faultsOf(NOBODY).map(({ kind, place }) => `${kind} at ${place} hit no execution`),
      ...this.written().flatMap(({ key }) =>
        executionOf(key) === NOBODY ? [`${key} is of no execution`] : [],
      ),
    ];
  }
}

export function nameOf(execution: number): string {
  return `execution-${execution}`;
}

/** Stands for the execution of what belongs to none. */
const NOBODY = -1;

/** @param run of which the name of the execution is a part, or a key of the run */
export function executionOf(run = ''): number {
  const [, number = NOBODY] = /(?:^|\/)execution-(\d+)\//.exec(run) ?? [];
  return Number(number);
}
