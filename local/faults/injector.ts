/** Decides where faults strike. The decisions depend on the seed and on what is struck, not on the time. */
import { LocalCloudError } from '../local-cloud-error';
import { draw } from '../seeded-random';
import { FAULT_KINDS, type FaultKind, isFaultKind } from './kinds';

/** Faults to inject. */
export interface Faults {
  /** The same seed strikes the same requests and calls of executions with the same names, or without names in the same order. */
  readonly seed: number;
  /** By kind, the probability from 0 to 1 that a chance is struck. Kinds that are not listed never strike. */
  readonly rates: Readonly<Partial<Record<FaultKind, number>>>;
  /**
   * The share of faults, from 0 to 1, that last: they strike each further chance of the same run at the same place.
   * @default 0
   */
  readonly lasting?: number;
}

/** A fault that was injected. */
export interface InjectedFault {
  readonly kind: FaultKind;
  /** Epoch milliseconds. */
  readonly time: number;
  /** The run whose call was hit, if it is known: the name in the keys of its objects. */
  readonly run?: string;
  /** Such as `PUT bucket/runs/…/slice-01.safetensors`, or the name of a function. */
  readonly place: string;
}

export interface Strike {
  readonly kind: FaultKind;
  /** In [0, 1): where in a body, how long, or which of several ways. */
  readonly random: number;
  /** Call it when the fault takes effect. */
  readonly record: () => void;
}

/** In the names of executions that nobody named, and in keys of their requests. */
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

const MAX_REMEMBERED = 50_000;

export class FaultInjector {
  private faults: Faults | undefined;
  private readonly counted = new Map<FaultKind, number>();
  private readonly chances = new Map<string, number>();
  private readonly lasting = new Map<string, FaultKind>();
  /** Numbers of the executions that nobody named, in the order of their first chances. */
  private readonly unnamed = new Map<string, number>();
  private numbered = 0;

  constructor(
    faults: Faults | undefined,
    private readonly onFault: (fault: InjectedFault) => void = () => undefined,
  ) {
    this.use(faults);
  }

  use(faults: Faults | undefined): void {
    if (faults !== undefined) check(faults);
    this.faults = faults;
    this.chances.clear();
    this.lasting.clear();
    this.unnamed.clear();
    this.numbered = 0;
  }

  get active(): boolean {
    return this.faults !== undefined;
  }

  counts(): ReadonlyMap<FaultKind, number> {
    return new Map(FAULT_KINDS.flatMap((kind) => [[kind, this.counted.get(kind) ?? 0] as const]));
  }

  strike(kinds: readonly FaultKind[], chance: Pick<InjectedFault, 'run' | 'place'>): Strike | undefined {
    const { run, place } = chance;
    if (this.faults === undefined) return undefined;
    const { seed, rates, lasting = 0 } = this.faults;
    const stream = `${this.sameEachTime(run)} ${place.replace(run ?? '', '').replaceAll(UUID, '*')}`;
    const before = this.chances.get(stream) ?? 0;
    remember(this.chances, stream, before + 1);
    const drawn = `${seed} ${stream} ${before}`;
    const still = this.lasting.get(stream);
    const kind =
      still !== undefined && kinds.includes(still)
        ? still
        : kinds.find((candidate) => draw(`${drawn} ${candidate}`) < (rates[candidate] ?? 0));
    if (kind === undefined) return undefined;
    if (draw(`${drawn} lasting`) < lasting) remember(this.lasting, stream, kind);
    return {
      kind,
      random: draw(`${drawn} random`),
      record: () => {
        this.counted.set(kind, (this.counted.get(kind) ?? 0) + 1);
        this.onFault({ kind, time: Date.now(), place, ...(run !== undefined && { run }) });
      },
    };
  }

  /** A run's name ends with the time or with a random id of its execution. */
  private sameEachTime(run = ''): string {
    const name = run.replace(/\/[^/]*$/, '');
    return name.replaceAll(UUID, (id) => {
      const number = this.unnamed.get(id) ?? this.numbered++;
      remember(this.unnamed, id, number);
      return String(number);
    });
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= MAX_REMEMBERED) return;
    map.delete(oldest);
  }
}

const ALL = 'all';

function check({ seed, rates, lasting = 0 }: Faults): void {
  if (!Number.isSafeInteger(seed)) {
    throw new LocalCloudError(`the seed of faults must be a whole number, got ${seed}: round it`);
  }
  const unknown = Object.keys(rates).find((name) => !isFaultKind(name));
  if (unknown !== undefined) {
    throw new LocalCloudError(
      `the local cloud must know the kind of a fault, got '${unknown}': the kinds are ${[ALL, ...FAULT_KINDS].join(', ')}`,
    );
  }
  for (const [name, rate] of [...Object.entries(rates), ['lasting', lasting] as const]) {
    if (rate >= 0 && rate <= 1) continue;
    throw new LocalCloudError(
      `the rate of the fault '${name}' must be from 0 to 1, got ${rate}: write it like ${name}:0.1`,
    );
  }
}

/** Reads `kind:rate,...`. A later entry replaces an earlier one. @throws LocalCloudError for an unknown kind or a rate that is no probability */
export function parseFaultRates(text: string): Faults['rates'] {
  const entries = text.split(',').flatMap((entry) => {
    const [name, rate = '', ...others] = entry.split(':').map((part) => part.trim());
    const isNumber = others.length === 0 && /^(\d+\.?\d*|\.\d+)$/.test(rate);
    const kinds: readonly string[] = name === ALL ? FAULT_KINDS : [name];
    return kinds.map((kind) => [kind, isNumber ? Number(rate) : NaN] as const);
  });
  const rates: Faults['rates'] = Object.fromEntries(entries);
  check({ seed: 0, rates });
  return rates;
}

export interface FaultTarget {
  /** The payload of the call that it runs; `undefined` between calls. */
  readonly payload: string | undefined;
  crash(): void;
  exceedMemory(): void;
}

/** The run of a slice's call. Calls of other functions have none. */
export function runOf(payload: string): string | undefined {
  const event = JSON.parse(payload) as { readonly run?: unknown } | null;
  return typeof event?.run === 'string' ? event.run : undefined;
}
