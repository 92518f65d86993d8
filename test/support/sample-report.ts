/** Reports of made-up plans, for tests of what shows them. */
import type {
  Alternative,
  FrontPoint,
  PlanReport,
  ReportedRun,
  ReportedSlice,
} from '../../bin/plan/plan-report';

const MIB = 2 ** 20;

const RUN = {
  warm: { dollarsPerMillion: 58.7, p50: 1_610, p95: 2_100 },
  mixed: { dollarsPerMillion: 60.5, p50: 1_640, p95: 2_530 },
  cold: { dollarsPerMillion: 149, p50: 2_410, p95: 3_020 },
};

/**
 * A report with every part but consolidation.
 *
 * @param nodes a multiple of `slices`
 * @param suffix appended to every name that comes from a model
 */
function sampleReport(nodes: number, slices: number, suffix = ''): PlanReport {
  const profile = Array.from({ length: nodes }, (_, position) => ({
    ...{ first: position, last: position, node: `/layer.${position}${suffix}`, operator: 'MatMul' },
    weightBytes: (1 + (position % 3)) * MIB,
    coreSeconds: 0.002 * (1 + (position % 5)),
    liveBytes: (2 + (position % 4)) * MIB,
    crossingBytes: position % 13 === 5 ? null : (1 + (position % 4)) * MIB,
  }));
  const own = sampleSlices(nodes / slices, slices);
  return {
    model: {
      ...{ file: `model${suffix}.onnx`, bytes: nodes * MIB, nodes, peakMemoryBytes: (nodes + 160) * MIB },
      ...{ memoryMb: nodes + 200, coreSeconds: 0.14 * slices },
      dimensions: [
        { name: `batch${suffix}`, size: 1, isAssumed: true },
        { name: `sequence${suffix}`, size: 128, isAssumed: false },
      ],
    },
    slices: own,
    profile,
    cuts: own.slice(1).map(({ first }, slice) => ({
      ...{ slice, position: first, bytes: 2 * MIB },
      tensors: [
        { name: `hidden${suffix}`, dtype: 'float32', shape: ['batch', 128], bytes: 2 * MIB - 1_024 },
        { name: `mask${suffix}`, dtype: 'int64', shape: null, bytes: 1_024 },
      ],
    })),
    run: RUN,
    coldShare: 0.02,
    costPerMillion: [
      { item: 'Lambda: computing', warm: 50, mixed: 51, cold: 90 },
      { item: 'Lambda: starting and loading', warm: 0, mixed: 0.8, cold: 40 },
      { item: 'S3 PUT requests', warm: 8.7, mixed: 8.7, cold: 19 },
    ],
    costPerMonth: [{ item: 'S3 storage of the slices', dollars: 0.03 }],
    front: front(slices),
    requests: { perHour: 10, isAssumed: true, temperature: 'mixed', coldShare: 0.02 },
    alternatives: alternatives(),
    verdict: [
      'Use the slices: the cheapest plan that answers 95 of 100 cold runs in time.',
      'One Lambda function costs 0.7 times as much when warm, but needs 2.4 times as long when cold.',
    ],
    search: { gap: 0.02, tolerance: 0.03, comparedCuts: 14, comparedAllCuts: false },
    assumptions: [
      {
        ...{ name: 'environment: s3.standardGet', value: '27 at 50, 74 at 95', unit: 'ms by percent' },
        ...{ source: 'skyrise, storage_latency/s3', date: '2024-04', basis: 'measured elsewhere' },
      },
    ],
    warnings: [`the sizes of 2 values depend on data, for example of 'boxes${suffix}'`],
  };
}

function sampleSlices(length: number, slices: number): ReportedSlice[] {
  return Array.from({ length: slices }, (_, slice): ReportedSlice => {
    const [first, last] = [slice * length, (slice + 1) * length - 1];
    return {
      ...{ slice, nodes: length, first, last, writesTo: 's3-standard', memoryMb: 512 },
      ...{ fileBytes: length * MIB + 30_000, weightBytes: length * MIB, activationBytes: 5 * MIB },
      ...{ readBytes: slice === 0 ? 4_096 : 2 * MIB, writeBytes: 2 * MIB, peakMemoryBytes: 300 * MIB },
      coreSeconds: 0.14,
      times: { warmMs: 200, loadMs: 180 + 3 * length, coldMs: 280 },
    };
  });
}

/** The plan is the second point of three. */
function front(slices: number): PlanReport['front'] {
  const points = [1, 0, -1].map((change): FrontPoint => {
    const factor = 1 + change / 2;
    const { dollarsPerMillion, p50, p95 } = RUN.mixed;
    return {
      ...{ slices: slices + change, memoryMb: [512, 512, 1_024], threads: 2, transport: 's3-standard' },
      ...{ dollarsPerMillion: dollarsPerMillion / factor, p50: p50 * factor, p95: p95 * factor },
    };
  });
  return {
    ...{ temperature: 'mixed', quantile: 'p50', points, plan: points[1], chosen: 1 },
    ...{ comparedCuts: 14, legalCuts: 96, epsilon: 0.005 },
  };
}

function alternatives(): Alternative[] {
  const { p50, p95 } = RUN.warm;
  const byTheHour = { p50, p95 };
  const feasible = (service: string, warm: Partial<ReportedRun>, dollars: number): Alternative => ({
    ...{ service, size: '2,048 MB', isFeasible: true, breaks: [], notes: [], dollarsPerMonth: dollars },
    ...{ warm: { ...RUN.warm, ...warm }, cold: { ...RUN.cold, ...warm } },
    monthly: [1, 100, 10_000, 100_000].map((requestsPerHour) => ({
      ...{ requestsPerHour, size: '2,048 MB', dollars: dollars * (1 + requestsPerHour / 1_000) },
    })),
  });
  return [
    feasible('slices', {}, 0.93),
    feasible('one Lambda function', { p50: 500 }, 0.6),
    { ...feasible('Fargate', {}, 43.2), warm: byTheHour, cold: byTheHour },
    {
      ...{ service: 'a large function', size: '10,240 MB', isFeasible: false, notes: [], monthly: [] },
      breaks: ['The model needs 12,400 MB.', 'A call may take at most 900 s.'],
    },
  ];
}

export const TRANSFORMER_REPORT: PlanReport = sampleReport(312, 8);
export const ONE_SLICE_REPORT: PlanReport = sampleReport(20, 1);
export const FORTY_SLICES_REPORT: PlanReport = sampleReport(400, 40);

/** The whole model serves the warm runs. */
export const CONSOLIDATED_REPORT: PlanReport = {
  ...TRANSFORMER_REPORT,
  consolidation: {
    ...{ memoryMb: 1_024, fileBytes: 312 * MIB },
    run: { ...RUN, warm: { dollarsPerMillion: 12, p50: 300, p95: 400 } },
  },
};

/** Markup, quotes, template text of chart libraries, characters that turn the direction of text, and 300 letters. */
export const HOSTILE_SUFFIX =
  `</script><script>document.title='broken'</script><img src=x onerror="document.title='broken'">` +
  `'"\`\${1+1}{b}{a|c}%s\u202e\u2066\u0007\u2028 ${'long'.repeat(75)}`;

export const HOSTILE_REPORT: PlanReport = sampleReport(12, 3, HOSTILE_SUFFIX);

/** A plan that another limit than price and time decided. */
export const BESIDE_FRONT_REPORT: PlanReport = besideFront();

function besideFront(): PlanReport {
  const { points, plan, ...rest } = TRANSFORMER_REPORT.front;
  const others = points.filter((point) => point !== plan);
  return { ...TRANSFORMER_REPORT, front: { ...rest, points: others, plan, chosen: undefined } };
}
