/**
 * What `sliced-inference plan` knows of a plan. `--json` prints this object, the terminal shows a part of it, and the page of
 * `--report` shows no other number. MB are 2^20 bytes, times are in milliseconds, prices in dollars.
 */
import type { Dimension } from '../../contract/tensors';
import type { AlternativeId } from '../../lib/cost/alternatives/alternative';
import type { Requests } from '../../lib/cost/alternatives/wording';
import type { Known } from '../../lib/cost/constants/constant';
import type { Architecture } from '../../lib/cost/formulas/lambda';
import type { End } from '../../lib/cost/constants/ends';
import type { PlannedBatch } from '../../lib/cost/batch';
import type { PlannedInt8Weights } from '../../lib/plan/int8-weights';
import type { SearchQuality } from '../../lib/plan/goal';
import type { DataSource } from '../../lib/shapes/data-source';
import type { PlannedSplit } from '../../lib/split/split';
import type { Temperature, Transport } from '../../lib/cost/chain';

export type { Requests } from '../../lib/cost/alternatives/wording';
export type { Temperature } from '../../lib/cost/chain';

export interface PlanReport {
  readonly model: ReportedModel;
  readonly slices: readonly ReportedSlice[];
  /** The operators that run in parts. */
  readonly splits: readonly PlannedSplit[];
  /** Whether functions prepack weights. */
  readonly prepacking: boolean;
  /** What x86 processors without VNNI would multiply wrongly; absent if there is nothing. */
  readonly int8Weights?: PlannedInt8Weights;
  /** How sizes and iterations are known that depend on data; absent if none does. */
  readonly dataSizes?: DataSource;
  /** By slice but the last: the cut after it. */
  readonly cuts: readonly ReportedCut[];
  /** The plan's own cost and latency, as its state machine runs it. */
  readonly run: Readonly<Record<Temperature, ReportedRun>>;
  /** Only with consolidation: a function with the whole model, which serves the runs that find it warm. */
  readonly consolidation?: ReportedConsolidation;
  /** Only with `--batch`: a batch of so many items. */
  readonly batch?: ReportedBatch;
  /** Share of mixed runs that find their functions cold. */
  readonly coldShare: number;
  /** The price of a million runs of each temperature, by line item; the items sum up to `run`. */
  readonly costPerMillion: readonly LineItem[];
  /** Prices that do not depend on runs, such as storage, in dollars a month. */
  readonly costPerMonth: readonly { readonly item: string; readonly dollars: number }[];
  readonly requests: Requests;
  /** This plan and the other services. */
  readonly alternatives: readonly Alternative[];
  /** The recommended one of the plan and one function, of those that break no limit. Absent if both break one. */
  readonly choice?: 'slices' | 'one-function';
  /** The recommended service on both architectures; the times of arm64 are those of x86_64 by published ratios. */
  readonly processors: {
    readonly offers: readonly {
      readonly architecture: Architecture;
      readonly dollarsPerMonth: number;
      readonly warmDollarsPerMillion: number;
      readonly warmP50: number;
      readonly coldP50: number;
    }[];
    /** The cheaper one at the rate of `requests`. */
    readonly recommended: Architecture;
    readonly sentence: string;
  };
  /** Sentences, the most important first: of a plan that is a guess, that it is one. */
  readonly verdict: readonly string[];
  /** One of these sentences: the cheapest service, and the rates from and below which another one is. Absent if all break a limit. */
  readonly cheapest?: string;
  /**
   * How far the search, which models a chain of slices, may have missed the best plan; absent if the cuts were given. `run` also counts
   * branches and the whole model.
   */
  readonly search?: SearchQuality;
  readonly assumptions: readonly Assumption[];
  readonly warnings: readonly string[];
}

export interface ReportedConsolidation {
  /** Memory of the function. */
  readonly memoryMb: number;
  readonly fileBytes: number;
  /** What runs cost and take then. `run` of the report and its items are those of the slices alone. */
  readonly run: Readonly<Record<Temperature, ReportedRun>>;
}

export interface ReportedBatch extends PlannedBatch {
  /** Where functions are fastest, and slowest. */
  readonly ends: Ends<Pick<PlannedBatch, 'milliseconds' | 'dollars'>>;
  /** Sentences: each quota that the batch exceeds, and what the figures leave out. */
  readonly warnings: readonly string[];
}

export interface ReportedModel {
  readonly file: string;
  readonly bytes: number;
  /** Nodes of the graph that is cut: those of the file, or what optimization and splits made of them. */
  readonly nodes: number;
  /** Nodes that are neither constant nor unused. Slices share them out, except those that a plan recomputes in several slices. */
  readonly nodesToShareOut: number;
  /** Peak of the memory of one function that runs the whole model. */
  readonly peakMemoryBytes: number;
  /** Memory in MB that one function for the whole model needs. */
  readonly memoryMb: number;
  /** Seconds of computing on one vCPU. */
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
  /** The positions of its first and its last node among the nodes that are divided among slices, in the order in which they run. */
  readonly first: number;
  readonly last: number;
  readonly fileBytes: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  /** Where it writes its tensors. `state`: the execution carries them to the slices that read them. */
  readonly writesTo: Transport | 'state';
  /** Memory of its function. */
  readonly memoryMb: number;
  readonly peakMemoryBytes: number;
  /** Seconds of computing on one vCPU. */
  readonly coreSeconds: number;
  /** Times without delays that vary, such as those of S3. */
  readonly times: SliceTimes & { readonly ends: Ends<SliceTimes> };
}

export interface SliceTimes {
  /** Reading, computing and writing in a warm function. */
  readonly warmMs: number;
  /** From the start of a cold function until the slice is loaded. */
  readonly loadMs: number;
  /** Reading, computing and writing right after the slice was loaded. */
  readonly coldMs: number;
}

export interface ReportedCut {
  /** The slice before the cut. */
  readonly slice: number;
  /** Position of the first node after the cut. */
  readonly position: number;
  /** Tensors that a slice before the cut computes and a slice after it reads. */
  readonly bytes: number;
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly Dimension[] | null;
    readonly bytes: number;
  }[];
}

export interface ReportedRun extends ServiceRun {
  readonly dollarsPerMillion: number;
  readonly ends?: Ends<ReportedRun>;
}

/** The same where the believed and fitted constants make runs fastest, and slowest. */
export type Ends<T> = Readonly<Record<End, T>>;

export interface LineItem extends Readonly<Record<Temperature, number>> {
  readonly item: string;
}

export interface Alternative {
  readonly id: AlternativeId;
  readonly service: string;
  /** Of a Lambda function. */
  readonly memoryMb?: number;
  /** Its size at the rate of `requests`, in words, such as `2,048 MB`. */
  readonly size: string;
  /** Whether a size keeps all limits at that rate. */
  readonly isFeasible: boolean;
  /** Sentences: each limit of the service, or of the user, that the size breaks. */
  readonly breaks: readonly string[];
  /** What of its price or its time is a guess, in a sentence; absent if nothing is. */
  readonly guess?: string;
  /** Sentences on what a user must know besides. */
  readonly notes: readonly string[];
  /** At the rate of `requests`. Absent, as `warm` and `cold`, when the service breaks a limit. */
  readonly dollarsPerMonth?: number;
  readonly dollarsPerMonthEnds?: Ends<number>;
  readonly warm?: ServiceRun;
  readonly cold?: ServiceRun;
}

export interface ServiceRun {
  /** Absent if the service is charged by the hour. */
  readonly dollarsPerMillion?: number;
  /** Milliseconds within which half of the runs end. */
  readonly p50: number;
  /** Milliseconds within which 95 of 100 runs end. */
  readonly p95: number;
  readonly ends?: Ends<ServiceRun>;
}

export interface Assumption {
  readonly name: string;
  readonly value: string;
  /** Empty for a choice that is no quantity. */
  readonly unit: string;
  readonly source: string;
  /** Year and month in which the source was read or the value was measured; empty for choices of this plan. */
  readonly date: string;
  /** How it is known: a constant of the model, a size or rate that the user gave or that was assumed, or a setting. */
  readonly basis: Known | 'given' | 'assumed' | 'setting';
}
