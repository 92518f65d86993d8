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
import { fileBytes, memoryMb } from '../sizes/estimate';
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

/** The share of cold runs, from 0 to 1. */
export function coldShareOf(temperature: Temperature, coldShare: number): number {
  return { warm: 0, cold: 1, mixed: coldShare }[temperature];
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

  constructor(
    readonly table: StretchTable,
    private readonly request: PlanRequest,
    readonly shared: SharedSettings,
    private readonly dimensions: Dimensions,
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
    return this.table.sizeBetween(from, to);
  }

  private price(size: SliceSize, from: number, offset: number): Step[] {
    const { model, memorySizes, maxMemoryMb } = this.request;
    const demand = demandOf(size, this.table.outputSecondsPerByte);
    const to = from + 1 + offset;
    const priced = (memory: number): Step => {
      const cost = model.step(demand, this.choice(memory, from, to));
      return {
        memoryMb: memory,
        warmDollars: cost.warmDollars,
        coldDollars: cost.coldDollars,
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

/** By stretches, then by model and settings: tables that several searches for one choice share. */
const known = new WeakMap<StretchTable, WeakMap<CostModel, Map<string, StepTable>>>();

export function stepTableOf(table: StretchTable, request: PlanRequest, shared: SharedSettings): StepTable {
  const { model, temperature, maxMemoryMb, memorySizes } = request;
  const byModel = known.get(table) ?? new WeakMap<CostModel, Map<string, StepTable>>();
  known.set(table, byModel);
  const tables = byModel.get(model) ?? new Map<string, StepTable>();
  byModel.set(model, tables);
  const key = [shared.transport, shared.threads, temperature, maxMemoryMb, ...memorySizes].join(' ');
  const found = tables.get(key) ?? new StepTable(table, request, shared, dimensionsOf(temperature));
  tables.set(key, found);
  return found;
}

/**
 * What a slice of this size asks of its function.
 *
 * @param outputSecondsPerByte seconds on one vCPU to write a byte of its outputs
 */
export function demandOf(size: SliceSize, outputSecondsPerByte: number): SliceDemand {
  return {
    fileBytes: fileBytes(size),
    coreSeconds: size.coreSeconds + outputSecondsPerByte * size.writeBytes,
    readTensors: size.readTensors,
    readBytes: size.readBytes,
    writeBytes: size.writeBytes,
    memoryMb: memoryMb(size),
  };
}

function isNoWorse(a: Step, b: Step, { warm, cold }: Dimensions): boolean {
  if (warm && (a.warmDollars > b.warmDollars || a.warmMs > b.warmMs)) return false;
  return !cold || (a.coldDollars <= b.coldDollars && a.coldMs <= b.coldMs && a.loadMs <= b.loadMs);
}
