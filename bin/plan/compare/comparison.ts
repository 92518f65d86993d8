/** The differences of two plans: `plan --compare --json` prints this object, and the terminal shows most of it. */
import { largestOf, sumOf } from '../../../lib/extremes';
import { type QuantityKind, NONE, TEMPERATURES } from '../figures';
import type { Alternative, ReportedRun } from '../plan-report';
import { type ComparedFigure, comparedFigure, verdictOf } from './compared-figure';
import type { ComparedPlan } from './compared-plan';

export interface Comparison {
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  readonly differences: {
    /** No figure and no cut differs. */
    readonly isSamePlan: boolean;
    readonly verdict: string;
    readonly figures: readonly ComparedFigure[];
    /** Choices and facts that differ. */
    readonly settings: readonly { readonly name: string; readonly a: string; readonly b: string }[];
  };
}

type ComparedSide = Pick<ComparedPlan, 'path' | 'report'>;

export function compared(a: ComparedPlan, b: ComparedPlan): Comparison {
  const [figures, settings] = [figuresOf(a, b), settingsOf(a, b)];
  const isSamePlan = figures.every((own) => own.a === own.b) && cutsOf(a) === cutsOf(b);
  const verdict = isSamePlan
    ? `Same plan: the cuts and all figures are equal. ${weightsText(a.plan.planDigest, b.plan.planDigest)}`
    : verdictOf(figures);
  return {
    a: { path: a.path, report: a.report },
    b: { path: b.path, report: b.report },
    differences: { isSamePlan, verdict, figures, settings },
  };
}

/** A model that was trained again can have the same cuts and figures. */
function weightsText(a?: string, b?: string): string {
  if (a === undefined || b === undefined)
    return 'Weights are not compared: only two plan files have their digests.';
  return a === b ? 'The slice files are equal too.' : 'The slice files, which hold the weights, differ.';
}

function figuresOf(a: ComparedPlan, b: ComparedPlan): ComparedFigure[] {
  const figure = (name: string, kind: QuantityKind, of: (plan: ComparedPlan) => number | undefined) =>
    comparedFigure(name, kind, of(a), of(b));
  type SizeName = 'weightBytes' | 'readBytes' | 'writeBytes' | 'peakMemoryBytes';
  const total = (name: string, size: SizeName, of = sumOf) =>
    figure(name, 'bytes', ({ report }) => of(report.slices.map((slice) => slice[size])));
  const memory = (name: string, of: typeof sumOf) =>
    figure(name, 'megabytes', ({ report: { slices, consolidation } }) =>
      of([...slices, ...(consolidation ? [consolidation] : [])].map(({ memoryMb }) => memoryMb)),
    );
  const ofRuns = (name: string, kind: QuantityKind, value: keyof Omit<ReportedRun, 'ends'>) =>
    TEMPERATURES.map((temperature) =>
      figure(`${name}, ${temperature}`, kind, ({ report: { run, consolidation } }) => {
        return (consolidation?.run ?? run)[temperature][value];
      }),
    );
  const ofFunction = (name: string, kind: QuantityKind, value: (own: Alternative) => number | undefined) =>
    figure(`one function: ${name}`, kind, ({ report: { alternatives } }) => {
      const own = alternatives.find(({ id }) => id === 'one-function');
      return own && value(own);
    });
  return [
    figure('slices', 'count', ({ report }) => report.slices.length),
    total('tensors that slices read', 'readBytes'),
    total('tensors that slices write', 'writeBytes'),
    total('weights of all slices', 'weightBytes'),
    total('weights of the largest slice', 'weightBytes', largestOf),
    total('peak of the largest slice', 'peakMemoryBytes', largestOf),
    memory('memory of the largest function', largestOf),
    memory('memory of all functions', sumOf),
    ...ofRuns('price of a million runs', 'dollars', 'dollarsPerMillion'),
    ...ofRuns('p50', 'milliseconds', 'p50'),
    ...ofRuns('p95', 'milliseconds', 'p95'),
    ofFunction('memory', 'megabytes', ({ memoryMb }) => memoryMb),
    ofFunction('price of a million calls, warm', 'dollars', ({ warm }) => warm?.dollarsPerMillion),
    ofFunction('p50, warm', 'milliseconds', ({ warm }) => warm?.p50),
    ofFunction('p50, cold', 'milliseconds', ({ cold }) => cold?.p50),
  ];
}

/** Facts of the plan, and what the report's figures rest on. */
function settingsOf(a: ComparedPlan, b: ComparedPlan): Comparison['differences']['settings'] {
  const [ofA, ofB] = [a, b].map(
    ({ plan: { model, graphOptimization, splits, threads, library, onnxRuntime }, report }) =>
      new Map([
        ['model file', model.file],
        ['nodes that are cut', String(model.nodes)],
        ['graph', model.graphDigest.slice(0, 12)],
        ['graph optimization', graphOptimization],
        ['operators in parts', String(splits?.length ?? 0)],
        ['threads', String(threads)],
        ['recommended', report.choice ?? NONE],
        ['consolidation', report.consolidation ? 'yes' : 'no'],
        ...report.assumptions.map(
          ({ name, value, unit, basis }) =>
            [name, [value, unit, basis === 'assumed' ? '(assumed)' : ''].filter(Boolean).join(' ')] as const,
        ),
        ['library', library],
        ['ONNX Runtime', onnxRuntime],
      ]),
  );
  return [...new Set([...ofA.keys(), ...ofB.keys()])]
    .map((name) => ({ name, a: ofA.get(name) ?? NONE, b: ofB.get(name) ?? NONE }))
    .filter((own) => own.a !== own.b);
}

/** Cuts are the same if the same tensors cross them. So a graph and its optimized version can be compared too. */
function cutsOf({ report: { cuts } }: ComparedPlan): string {
  return JSON.stringify(cuts.map(({ tensors }) => tensors.map(({ name }) => name).sort()));
}
