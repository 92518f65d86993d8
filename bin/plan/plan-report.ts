/**
 * What `sliced-inference plan` knows of a plan. `--json` prints this object, the terminal shows a part of it, and the page of
 * `--report` embeds it and shows no other number. MB are 2^20 bytes, times are in milliseconds, prices in dollars.
 */
import type { Dimension } from '../../contract/tensors';

export interface PlanReport {
  readonly model: ReportedModel;
  readonly slices: readonly ReportedSlice[];
  /** In the order of the nodes: what the model weighs and computes, for a chart. At most some hundred points. */
  readonly profile: readonly ProfilePoint[];
  /** By slice but the last: the cut after it. */
  readonly cuts: readonly ReportedCut[];
  /** The plan's own cost and latency. */
  readonly run?: Readonly<Record<Temperature, ReportedRun>>;
  /** The price of a million runs of each temperature, by line item; the items sum up to `run`. */
  readonly costPerMillion?: readonly LineItem[];
  /** Prices that do not depend on runs, such as storage, in dollars a month. */
  readonly costPerMonth?: readonly { readonly item: string; readonly dollars: number }[];
  /** Plans that no other plan beats in both price and latency; the chosen plan is one of them where the objective allows. */
  readonly front?: ParetoFront;
  readonly alternatives?: readonly Alternative[];
  /** The cheapest service by request rate: consecutive ranges from `from` (requests per hour) on. */
  readonly cheapest?: readonly { readonly from: number; readonly service: string }[];
  /** Sentences, the most important first. */
  readonly verdict: readonly string[];
  readonly timelines?: { readonly warm: readonly TimelineSpan[]; readonly cold: readonly TimelineSpan[] };
  readonly assumptions: readonly Assumption[];
  readonly warnings: readonly string[];
}

/** Whether a run finds its functions warm, cold, or as often cold as the request rate implies. */
export type Temperature = 'warm' | 'mixed' | 'cold';

export interface ReportedModel {
  readonly file: string;
  readonly bytes: number;
  readonly nodes: number;
  readonly peakMemoryBytes?: number;
  /** Seconds of computing on one vCPU. */
  readonly coreSeconds?: number;
  readonly dimensions: readonly {
    readonly name: string;
    readonly size: number;
    readonly isAssumed: boolean;
  }[];
}

export interface ReportedSlice {
  readonly slice: number;
  /** Number of nodes that only this slice runs. */
  readonly nodes: number;
  /** Its first and its last position in the order of `ProfilePoint`. */
  readonly first: number;
  readonly last: number;
  readonly fileBytes: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly memoryMb: number;
  readonly peakMemoryBytes?: number;
  readonly coreSeconds?: number;
  readonly times?: SliceTimes;
}

/** See `StepCost` of the cost model. */
export interface SliceTimes {
  readonly warmMs: number;
  readonly loadMs: number;
  readonly coldMs: number;
}

/** A stretch of neighboring nodes, all of one slice; one node each in small models. */
export interface ProfilePoint {
  /**
   * Positions of the stretch's first and last node among the nodes that are divided among slices, in the order in which the
   * slices run them.
   */
  readonly first: number;
  readonly last: number;
  /** The last node: its name, or that of its first output if it has none. */
  readonly node: string;
  readonly operator: string;
  /** Weights that no earlier stretch uses. */
  readonly weightBytes: number;
  readonly coreSeconds?: number;
  /** Peak of the intermediate tensors that are alive in the stretch when the whole model runs. */
  readonly liveBytes: number;
  /** Bytes that would cross a cut after the stretch; `null` if no cut is legal there. */
  readonly crossingBytes: number | null;
}

export interface ReportedCut {
  /** The slice before the cut. */
  readonly slice: number;
  /** Position of the first node after the cut. */
  readonly position: number;
  /** Tensors that a slice before the cut computes and a slice after it reads. */
  readonly bytes: number;
  readonly tensors: readonly CrossingTensor[];
}

export interface CrossingTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly Dimension[] | null;
  readonly bytes: number;
}

export interface ReportedRun {
  readonly dollarsPerMillion: number;
  readonly p50: number;
  readonly p95: number;
}

export interface LineItem extends Readonly<Record<Temperature, number>> {
  readonly item: string;
}

export interface ParetoFront {
  /** The temperature of all its prices and latencies. */
  readonly temperature: Temperature;
  readonly points: readonly FrontPoint[];
  /** The index of the chosen plan; absent if a limit other than price and latency decided. */
  readonly chosen?: number;
}

export interface FrontPoint extends ReportedRun {
  readonly slices: number;
  /** By slice. */
  readonly memoryMb: readonly number[];
  readonly threads: number;
  readonly transport: string;
}

export interface Alternative {
  readonly service: string;
  readonly isFeasible: boolean;
  /** Sentences: each limit of the service, or of the user, that it breaks. */
  readonly breaks: readonly string[];
  /** Absent when the service cannot run the model. */
  readonly warm?: ReportedRun;
  readonly cold?: ReportedRun;
  /** Dollars a month by requests per hour. */
  readonly monthly: readonly { readonly requestsPerHour: number; readonly dollars: number }[];
}

/** A span of a run, drawn as one bar. */
export interface TimelineSpan {
  readonly row: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly endMs: number;
}

export type SpanKind = 'start' | 'load' | 'read' | 'run' | 'write' | 'transition' | 'wait';

export interface Assumption {
  readonly name: string;
  readonly value: string;
  readonly source: string;
  /** How it is known. */
  readonly basis: 'documented' | 'measured by others' | 'measured by this project' | 'believed' | 'given';
}
