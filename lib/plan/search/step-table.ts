/** Prices every stretch with every memory size, for one transport and one number of threads. */
import type {
  CostModel,
  SliceDemand,
  StepChoice,
  StepCost,
  Temperature,
  Transport,
} from '../../cost/cost-model';
import type { SliceSize } from '../sizes/estimate';
import { memoryMb } from '../sizes/estimate';
import type { PlanRequest } from './plan-request';
import type { StretchTable } from './stretch-table';

/** One way to run one stretch. */
export interface Step extends StepCost {
  readonly memoryMb: number;
}

/** Whether totals of warm and of cold runs matter. The search does not tell plans apart by totals that do not. */
export interface Dimensions {
  readonly warm: boolean;
  readonly cold: boolean;
}

export function dimensionsOf(temperature: Temperature): Dimensions {
  return { warm: temperature !== 'cold', cold: temperature !== 'warm' };
}

/** The settings that all slices of a plan share. */
export interface SharedSettings {
  readonly transport: Transport;
  readonly threads: number;
}

export class StepTable {
  readonly count: number;
  /** By `from * count + to`: the steps of the stretch of which none is better than another one. */
  readonly steps: (readonly Step[])[];

  /** @param surcharge dollars that are added to the price of a stretch */
  constructor(
    readonly table: StretchTable,
    private readonly request: Pick<PlanRequest, 'model' | 'maxMemoryMb' | 'memorySizes'>,
    readonly shared: SharedSettings,
    private readonly dimensions: Dimensions,
    private readonly surcharge?: (size: SliceSize) => number,
  ) {
    this.count = table.boundaries.length;
    this.steps = new Array<readonly Step[]>(this.count * this.count).fill([]);
    table.stretches.forEach((sizes, from) => {
      sizes.forEach((size, offset) => {
        if (size !== undefined)
          this.steps[from * this.count + from + 1 + offset] = this.price(size, from, offset);
      });
    });
  }

  size(from: number, to: number): SliceSize {
    const size = this.table.stretches[from][to - from - 1];
    if (size === undefined) throw new Error(`the stretch from ${from} to ${to} does not fit`);
    return size;
  }

  private price(size: SliceSize, from: number, offset: number): Step[] {
    const { model, memorySizes, maxMemoryMb } = this.request;
    const demand = demandOf(size);
    const extra = this.surcharge?.(size) ?? 0;
    const to = from + 1 + offset;
    const priced = (memory: number): Step => {
      const cost = model.step(demand, this.choice(memory, from, to));
      return {
        memoryMb: memory,
        warmDollars: cost.warmDollars + extra,
        coldDollars: cost.coldDollars + extra,
        warmMs: cost.warmMs,
        loadMs: cost.loadMs,
        coldMs: cost.coldMs,
      };
    };
    const larger = memorySizes.filter((memory) => memory > demand.memoryMb && memory <= maxMemoryMb);
    return this.undominated([demand.memoryMb, ...larger].map(priced));
  }

  private choice(memory: number, from: number, to: number): StepChoice {
    const { transport, threads } = this.shared;
    return {
      memoryMb: memory,
      threads,
      readsFrom: from === 0 && this.table.isFirst ? 'request' : transport,
      writesTo: to === this.count - 1 && this.table.isLast ? 's3-standard' : transport,
    };
  }

  private undominated(steps: readonly Step[]): Step[] {
    const kept: Step[] = [];
    for (const step of steps) {
      if (kept.some((other) => isNoWorse(other, step, this.dimensions))) continue;
      for (let index = kept.length - 1; index >= 0; index--)
        if (isNoWorse(step, kept[index], this.dimensions)) kept.splice(index, 1);
      kept.push(step);
    }
    return kept;
  }
}

/** What a slice of this size asks of its function. */
export function demandOf(size: SliceSize): SliceDemand {
  return {
    fileBytes: size.weightBytes,
    coreSeconds: size.coreSeconds,
    readTensors: size.readTensors,
    readBytes: size.readBytes,
    writeBytes: size.writeBytes,
    memoryMb: memoryMb(size),
  };
}

/** When a cold run that has come to `end`, in milliseconds, has also done the step. */
export function endOfCold({ warmsUp }: CostModel, end: number, { loadMs, coldMs }: StepCost): number {
  return warmsUp ? Math.max(end, loadMs) + coldMs : end + loadMs + coldMs;
}

function isNoWorse(a: Step, b: Step, { warm, cold }: Dimensions): boolean {
  if (warm && (a.warmDollars > b.warmDollars || a.warmMs > b.warmMs)) return false;
  return !cold || (a.coldDollars <= b.coldDollars && a.coldMs <= b.coldMs && a.loadMs <= b.loadMs);
}
