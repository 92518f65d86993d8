/** The differences of two plans: `plan --compare --json` prints this object, and the terminal shows most of it. */
import { sumOf, largestOf } from '../../../lib/extremes';
import { TEMPERATURES, type QuantityKind } from '../figures';
import type { PlanReport, ReportedRun } from '../plan-report';
import type { ComparedPlan } from './compared-plan';
import { type ComparedFigure, comparedFigure } from './compared-figure';
import { type Deployment, deploymentOver } from './deployment';
import { verdictOf } from './verdict';

export interface Comparison {
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  readonly differences: Differences;
}

export interface ComparedSide {
  readonly path: string;
  /** The name of its file, which a plan file knows. */
  readonly model: string;
  /** What `plan --json` prints. Absent for a plan file whose model is not found. */
  readonly report?: PlanReport;
}

export interface Differences {
  /** Nothing differs, and a deployment changes nothing. */
  readonly isSamePlan: boolean;
  readonly verdict: string;
  readonly figures: readonly ComparedFigure[];
  /** Choices and facts that differ. */
  readonly settings: readonly { readonly name: string; readonly a: string; readonly b: string }[];
  /** In the order of the nodes. */
  readonly cuts: readonly ComparedCut[];
  /** Of B over A. */
  readonly deployment: Deployment;
}

export interface ComparedCut {
  /** Names of the tensors that cross it. */
  readonly tensors: readonly string[];
  /** `null`: that plan has no such cut. */
  readonly a: CutPlace | null;
  readonly b: CutPlace | null;
}

interface CutPlace {
  /** The slice before the cut. */
  readonly slice: number;
  /** Absent if the model is not known. */
  readonly bytes?: number;
}

export function compared(a: ComparedPlan, b: ComparedPlan): Comparison {
  const figures = figuresOf(a, b);
  const settings = settingsOf(a, b);
  const cuts = comparedCuts(a, b);
  const deployment = deploymentOver(a, b);
  const isSamePlan =
    [...figures, ...settings].every((own) => own.a === own.b) &&
    cuts.every((cut) => cut.a !== null && cut.b !== null) &&
    deployment.stateMachine === 'unchanged';
  const verdict = isSamePlan ? SAME : verdictOf(figures);
  return {
    a: sideOf(a),
    b: sideOf(b),
    differences: { isSamePlan, verdict, figures, settings, cuts, deployment },
  };
}

function sideOf({ path, plan, report }: ComparedPlan): ComparedSide {
  return { path, model: plan.model.file, ...(report && { report }) };
}

const SAME =
  'Same plan: the slices, their files and all figures are equal. A deployment of B over A changes nothing.';

function figuresOf(a: ComparedPlan, b: ComparedPlan): ComparedFigure[] {
  const figure = (name: string, kind: QuantityKind, of: (plan: ComparedPlan) => number | undefined) =>
    comparedFigure(name, kind, of(a), of(b));
  type SizeName = 'weightBytes' | 'readBytes' | 'writeBytes' | 'memoryMb' | 'peakMemoryBytes';
  const sizes = (name: SizeName, total: (list: readonly number[]) => number) => (side: ComparedPlan) =>
    total(side.plan.slices.map((slice) => slice[name]));
  const ofRuns = (name: string, kind: QuantityKind, value: (run: ReportedRun) => number) =>
    TEMPERATURES.map((temperature) =>
      figure(`${name}, ${temperature}`, kind, ({ report }) => {
        const runs = report?.consolidation?.run ?? report?.run;
        return runs && value(runs[temperature]);
      }),
    );
  return [
    figure('slices', 'count', ({ plan }) => plan.slices.length),
    figure('tensors that slices read', 'bytes', sizes('readBytes', sumOf)),
    figure('tensors that slices write', 'bytes', sizes('writeBytes', sumOf)),
    figure('weights of all slices', 'bytes', sizes('weightBytes', sumOf)),
    figure('weights of the largest slice', 'bytes', sizes('weightBytes', largestOf)),
    figure('memory of the largest function', 'megabytes', sizes('memoryMb', largestOf)),
    figure('memory of all functions', 'megabytes', sizes('memoryMb', sumOf)),
    figure('peak of the largest function', 'bytes', sizes('peakMemoryBytes', largestOf)),
    figure('function of the whole model', 'megabytes', ({ report }) => report?.consolidation?.memoryMb),
    ...ofRuns('price of a million runs', 'dollars', ({ dollarsPerMillion }) => dollarsPerMillion),
    ...ofRuns('p50', 'milliseconds', ({ p50 }) => p50),
    ...ofRuns('p95', 'milliseconds', ({ p95 }) => p95),
  ];
}

function settingsOf(a: ComparedPlan, b: ComparedPlan): Differences['settings'] {
  const [ofA, ofB] = [a, b].map(({ plan, options }): Record<string, string | undefined> => ({
    'model file': plan.model.file,
    'nodes that are cut': String(plan.model.nodes),
    graph: plan.model.graphDigest.slice(0, 12),
    'graph optimization': plan.graphOptimization,
    'operators in parts': String(plan.splits?.length ?? 0),
    ...Object.fromEntries(
      Object.entries(plan.dimensions).map(([name, size]) => [`size of ${name}`, String(size)]),
    ),
    threads: String(plan.threads),
    'state machine': options.stateMachine ?? 'express',
    architecture: options.architecture ?? 'x86_64',
    'tensor store': options.tensorStore ?? 's3-standard',
    'warm-ups': options.warmUp === false ? 'never' : 'automatic',
    'small tensors': options.tensorsInState === false ? 'in S3' : 'in the state',
    'requests an hour': String(options.requestsPerHour ?? 'assumed'),
    library: plan.library,
    'ONNX Runtime': plan.onnxRuntime,
  }));
  return [...new Set([...Object.keys(ofA), ...Object.keys(ofB)])]
    .map((name) => ({ name, a: ofA[name] ?? '–', b: ofB[name] ?? '–' }))
    .filter((own) => own.a !== own.b);
}

interface PlacedCut {
  readonly place: CutPlace;
  readonly tensors: readonly string[];
  /** Number of nodes before it. */
  readonly position: number;
}

/** Cuts are the same if the same tensors cross them, so those of a graph and of its optimized version can be compared too. */
function comparedCuts(a: ComparedPlan, b: ComparedPlan): ComparedCut[] {
  const onlyInB = new Set(cutsOf(b));
  const both = cutsOf(a).map((own) => {
    const key = JSON.stringify(own.tensors);
    const same = [...onlyInB].find(({ tensors }) => JSON.stringify(tensors) === key);
    if (same) onlyInB.delete(same);
    return { ...own, a: own.place, b: same?.place ?? null };
  });
  return [...both, ...[...onlyInB].map((own) => ({ ...own, a: null, b: own.place }))]
    .sort((one, other) => one.position - other.position)
    .map(({ tensors, a: ofA, b: ofB }) => ({ tensors, a: ofA, b: ofB }));
}

function cutsOf({ plan: { slices }, report }: ComparedPlan): PlacedCut[] {
  let position = 0;
  return slices.slice(0, -1).map(({ nodes }, slice) => {
    for (const [first, last] of nodes) position += last - first + 1;
    const crossing = slices
      .slice(slice + 1)
      .flatMap(({ inputs }) =>
        inputs.filter(({ source }) => source.from === 'slice' && source.slice <= slice),
      );
    const bytes = report?.cuts[slice].bytes;
    return {
      place: { slice, ...(bytes !== undefined && { bytes }) },
      tensors: [...new Set(crossing.map(({ name }) => name))].sort(),
      position,
    };
  });
}
