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
  /** The cuts between neighboring slices. */
  readonly cuts: readonly ReportedCut[];
  /** The plan's own cost and latency. */
  readonly run: { readonly warm: ReportedRun; readonly cold: ReportedRun; readonly mixed: ReportedRun };
  /** The price of a million runs of each temperature, by line item; the items sum up to `run`. */
  readonly costPerMillion: readonly LineItem[];
  /** Prices that do not depend on runs, such as storage, in dollars a month. */
  readonly costPerMonth: readonly { readonly item: string; readonly dollars: number }[];
  /** Plans that no other plan beats in both price and latency; the chosen plan is one of them where the objective allows. */
  readonly front: readonly FrontPoint[];
  /** The chosen plan among `front`; absent if a limit other than price and latency decided. */
  readonly chosen?: number;
  readonly alternatives: readonly Alternative[];
  /** The cheapest service by request rate: consecutive ranges from `from` (requests per hour) on. */
  readonly cheapest: readonly { readonly from: number; readonly service: string }[];
  /** Sentences, the most important first. */
  readonly verdict: readonly string[];
  readonly timelines: { readonly warm: readonly TimelineSpan[]; readonly cold: readonly TimelineSpan[] };
  readonly assumptions: readonly Assumption[];
  readonly warnings: readonly string[];
}

export interface ReportedModel {
  readonly file: string;
  readonly bytes: number;
  readonly nodes: number;
  readonly peakMemoryBytes: number;
  readonly coreSeconds: number;
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
  /** Range of `ProfilePoint.position`. */
  readonly start: number;
  readonly end: number;
  readonly fileBytes: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly coreSeconds: number;
  readonly peakMemoryBytes: number;
  readonly memoryMb: number;
  readonly warmMs: number;
  readonly loadMs: number;
  readonly coldMs: number;
}

/** A stretch of nodes. */
export interface ProfilePoint {
  /** Position of the stretch's last node in the order of nodes. */
  readonly position: number;
  readonly node: string;
  readonly operator: string;
  readonly weightBytes: number;
  readonly coreSeconds: number;
  /** Peak of the intermediate tensors in the stretch. */
  readonly liveBytes: number;
  /** Bytes that would cross a cut after the stretch; `null` where no cut is legal. */
  readonly crossingBytes: number | null;
}

export interface ReportedCut {
  /** Position in the order of nodes. */
  readonly position: number;
  readonly bytes: number;
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly Dimension[] | null;
    readonly bytes: number;
  }[];
}

export interface ReportedRun {
  readonly dollarsPerMillion: number;
  readonly p50: number;
  readonly p95: number;
}

export interface LineItem {
  readonly item: string;
  readonly warm: number;
  readonly cold: number;
  readonly mixed: number;
}

export interface FrontPoint {
  readonly slices: number;
  readonly memoryMb: readonly number[];
  readonly threads: number;
  readonly transport: string;
  readonly dollarsPerMillion: number;
  readonly p50: number;
  readonly p95: number;
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
  readonly kind: 'start' | 'load' | 'read' | 'run' | 'write' | 'transition' | 'wait';
  readonly startMs: number;
  readonly endMs: number;
}

export interface Assumption {
  readonly name: string;
  readonly value: string;
  readonly source: string;
  /** How it is known. */
  readonly basis: 'documented' | 'measured by others' | 'measured by this project' | 'believed' | 'given';
}
