/** Prices every stretch with every memory size, for one transport and one number of threads. */
import type { CostModel, InState, SliceDemand, StepChoice, Transport } from '../../cost/cost-model';
import type { SliceSize } from '../sizes/estimate';
import { fileBytes, memoryMb } from '../sizes/estimate';
import { MAX_STATE_TENSORS } from '../sizes/state-size';
import type { Label } from './labels';
import type { PlanRequest } from './plan-request';
import type { Dimensions, Step } from './step';
import { dimensionsOf } from './step';
import type { StretchTable } from './stretch-table';
import type { SmallValue, StretchSize } from './stretches';

/** The settings that all slices of a plan share. */
export interface SharedSettings {
  readonly transport: Transport;
  readonly threads: number;
}

/** The steps between boundaries. */
export interface Steps {
  /** The number of boundaries. */
  readonly count: number;
  readonly shared: SharedSettings;
  /** Whether the last slice writes the results of the model. */
  readonly isLast: boolean;
  /** By `from * count + to`: lower bounds of the steps of the stretch. */
  readonly steps: readonly (readonly Step[])[];
  size(from: number, to: number): SliceSize;
  /** The steps by which a partial plan may go on to a boundary. */
  after(before: Label, to: number): readonly Step[];
  /** Whether any slice may run beside another one. */
  readonly hasBranches: boolean;
  /** Whether a slice may run beside those before it, whatever the partial plan is. */
  mayJoin(from: number, to: number): boolean;
  /** Whether a slice up to a boundary runs beside the last stage of a partial plan. */
  joins(before: Label, to: number): boolean;
  /** Of the small values that cross the end of a partial plan, the number of those that are in S3. */
  leftInS3(label: Label): number;
}

/** Work in seconds of one vCPU, and weights in bytes, of which one makes a slice worth a branch. */
const MIN_BRANCH_SECONDS = 0.02;
const MIN_BRANCH_BYTES = 16e6;

export class StepTable implements Steps {
  readonly count: number;
  readonly isLast: boolean;
  readonly hasBranches: boolean;
  /**
   * By `from * count + to`: the steps of the stretch of which none is better than another one, if the state has all small values that
   * it reads.
   */
  readonly steps: (readonly Step[])[];
  /** By the same index, then by what the state has of these values. */
  private readonly others = new Map<number, Map<string, readonly Step[]>>();

  constructor(
    readonly table: StretchTable,
    private readonly request: PlanRequest,
    readonly shared: SharedSettings,
    private readonly dimensions: Dimensions,
  ) {
    this.count = table.boundaries.length;
    this.isLast = table.isLast;
    this.steps = new Array<readonly Step[]>(this.count * this.count).fill([]);
    table.stretches.forEach((sizes, from) => {
      sizes.forEach((size, offset) => {
        const to = from + 1 + offset;
        if (size !== undefined)
          this.steps[from * this.count + to] = this.price(size, from, to, everything(size.smallReads));
      });
    });
    this.hasBranches = table.stretches.some((sizes, from) =>
      sizes.some((size, offset) => size !== undefined && this.mayJoin(from, from + 1 + offset)),
    );
  }

  size(from: number, to: number): StretchSize {
    return this.table.sizeBetween(from, to);
  }

  after(before: Label, to: number): readonly Step[] {
    const index = before.boundary * this.count + to;
    const steps = this.steps[index];
    if (steps.length === 0 || !this.request.tensorsInState) return steps;
    const size = this.size(before.boundary, to);
    if (size.smallReads.length === 0) return steps;
    const carried = this.carried(before, size.smallReads);
    const others = this.others.get(index) ?? new Map<string, readonly Step[]>();
    this.others.set(index, others);
    const key = `${carried.tensors} ${carried.bytes} ${carried.characters}`;
    const known = others.get(key) ?? this.price(size, before.boundary, to, carried);
    others.set(key, known);
    return known;
  }

  mayJoin(from: number, to: number): boolean {
    if (!this.request.sideBySide || from === 0) return false;
    const { coreSeconds, weightBytes, lastRead } = this.size(from, to);
    const isWorthIt = coreSeconds >= MIN_BRANCH_SECONDS || weightBytes >= MIN_BRANCH_BYTES;
    return isWorthIt && lastRead < this.table.boundaries[from - 1];
  }

  joins({ boundary, stage }: Label, to: number): boolean {
    if (!this.mayJoin(boundary, to)) return false;
    return this.size(boundary, to).lastRead < this.table.boundaries[stage.from];
  }

  leftInS3(label: Label): number {
    let left = 0;
    for (const value of this.table.smallAcross[label.boundary])
      if (!this.sourceOf(value, label).last?.step.inState?.isAnswered) left++;
    return left;
  }

  private carried(label: Label, smallReads: readonly SmallValue[]): Carried {
    const sources = new Set<Label>();
    let [tensors, bytes, characters] = [0, 0, 0];
    for (const value of smallReads) {
      const source = this.sourceOf(value, label);
      if (!source.last?.step.inState?.isAnswered) continue;
      tensors++;
      bytes += value.bytes;
      if (sources.has(source)) continue;
      sources.add(source);
      characters += this.size(source.last.before.boundary, source.boundary).characters;
    }
    return { tensors, bytes, characters };
  }

  /** The partial plan whose last slice computes the value; the start if no slice of this range does. */
  private sourceOf({ producedAt }: SmallValue, label: Label): Label {
    const { boundaries } = this.table;
    let source = label;
    while (source.last !== undefined && boundaries[source.last.before.boundary] > producedAt)
      source = source.last.before;
    return source;
  }

  private price(size: StretchSize, from: number, to: number, carried: Carried): Step[] {
    const { model, memorySizes, maxMemoryMb, tensorsInState } = this.request;
    const demand = demandOf(size, this.table.outputSecondsPerByte);
    const isEnd = to === this.count - 1 && this.table.isLast;
    const inState: InState | undefined = tensorsInState
      ? {
          isAnswered: size.characters <= MAX_STATE_TENSORS && !isEnd,
          readTensors: carried.tensors,
          readsAll: carried.tensors === size.readTensors,
          readBytes: carried.bytes,
          characters: carried.characters,
        }
      : undefined;
    const priced = (memory: number): Step => {
      const cost = model.step(demand, { ...this.choice(memory, from, to), ...(inState && { inState }) });
      return {
        ...(inState && { inState }),
        memoryMb: memory,
        warmDollars: cost.warmDollars,
        coldDollars: cost.coldDollars,
        warmMs: cost.warmMs,
        loadMs: cost.loadMs,
        coldMs: cost.coldMs,
      };
    };
    const larger = memorySizes.filter((memory) => memory > demand.memoryMb && memory <= maxMemoryMb);
    return undominated([demand.memoryMb, ...larger].map(priced), this.dimensions);
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
}

/** Of the small values that a slice reads: how many the state has, and the characters of the events that hold them. */
interface Carried {
  readonly tensors: number;
  readonly bytes: number;
  readonly characters: number;
}

/** Events of any length, so that no partial plan has cheaper steps. */
function everything(smallReads: readonly SmallValue[]): Carried {
  const bytes = smallReads.reduce((sum, value) => sum + value.bytes, 0);
  return { tensors: smallReads.length, bytes, characters: 0 };
}

/** By stretches, then by model and settings: tables that several searches for one choice share. */
const known = new WeakMap<StretchTable, WeakMap<CostModel, Map<string, StepTable>>>();

export function stepTableOf(table: StretchTable, request: PlanRequest, shared: SharedSettings): StepTable {
  const {
    model,
    temperature,
    maxMemoryMb,
    memorySizes,
    tensorsInState = false,
    sideBySide = false,
  } = request;
  const byModel = known.get(table) ?? new WeakMap<CostModel, Map<string, StepTable>>();
  known.set(table, byModel);
  const tables = byModel.get(model) ?? new Map<string, StepTable>();
  byModel.set(model, tables);
  const key = [
    ...[shared.transport, shared.threads, temperature, maxMemoryMb, tensorsInState, sideBySide],
    ...memorySizes,
  ].join(' ');
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

/** The steps of which none is better than another one. */
export function undominated(steps: readonly Step[], dimensions: Dimensions): Step[] {
  const kept: Step[] = [];
  for (const step of steps) {
    if (kept.some((other) => isNoWorse(other, step, dimensions))) continue;
    for (let index = kept.length - 1; index >= 0; index--)
      if (isNoWorse(step, kept[index], dimensions)) kept.splice(index, 1);
    kept.push(step);
  }
  return kept;
}

function isNoWorse(a: Step, b: Step, { warm, cold }: Dimensions): boolean {
  if (warm && (a.warmDollars > b.warmDollars || a.warmMs > b.warmMs)) return false;
  return !cold || (a.coldDollars <= b.coldDollars && a.coldMs <= b.coldMs && a.loadMs <= b.loadMs);
}
