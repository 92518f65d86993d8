/** Makes reports of plans whose numbers agree with one another, for tests of what shows them. */
import type {
  Alternative,
  CrossingTensor,
  FrontPoint,
  LineItem,
  PlanReport,
  ProfilePoint,
  ReportedCut,
  ReportedRun,
  ReportedSlice,
  SpanKind,
  TimelineSpan,
} from '../../bin/plan/plan-report';

export interface SampleOptions {
  readonly layers: number;
  readonly slices: number;
  /** Bytes of weights of a layer. */
  readonly layerBytes?: number;
  readonly file?: string;
  /** Appended to every name that comes from a model. */
  readonly nameSuffix?: string;
}

const MIB = 2 ** 20;

/** The nodes of a transformer's layer: operator, share of the layer's weights, share of its compute, live tensors. */
const LAYER = [
  ['LayerNormalization', 0.001, 0.01, 2],
  ['MatMul', 0.08, 0.12, 3],
  ['MatMul', 0.08, 0.12, 4],
  ['MatMul', 0.08, 0.12, 5],
  ['MatMul', 0, 0.08, 7],
  ['Softmax', 0, 0.03, 6],
  ['MatMul', 0, 0.08, 4],
  ['MatMul', 0.08, 0.12, 3],
  ['Add', 0, 0.01, 2],
  ['LayerNormalization', 0.001, 0.01, 2],
  ['MatMul', 0.339, 0.14, 5],
  ['Gelu', 0, 0.02, 5],
  ['MatMul', 0.339, 0.14, 3],
] as const;

/** A report with every part. */
export function sampleReport(options: SampleOptions): PlanReport {
  const { layers, file = 'model.onnx', nameSuffix = '' } = options;
  const profile = sampleProfile(options);
  const slices = sampleSlices(profile, options.slices);
  const items = lineItems(slices);
  const timelines = { warm: timeline(slices, 'warm'), cold: timeline(slices, 'cold') };
  const sum = (of: (item: LineItem) => number): number => items.reduce((total, item) => total + of(item), 0);
  const p50 = { warm: endOf(timelines.warm), cold: endOf(timelines.cold) };
  const run = {
    warm: { dollarsPerMillion: sum(({ warm }) => warm), p50: p50.warm, p95: p50.warm * 1.3 },
    mixed: { dollarsPerMillion: sum(({ mixed }) => mixed), p50: p50.warm * 1.02, p95: p50.cold * 1.05 },
    cold: { dollarsPerMillion: sum(({ cold }) => cold), p50: p50.cold, p95: p50.cold * 1.25 },
  };
  const weightBytes = profile.reduce((total, point) => total + point.weightBytes, 0);
  return {
    model: {
      file,
      bytes: weightBytes + 4_096 * layers,
      nodes: profile.length,
      peakMemoryBytes: weightBytes + 160 * MIB,
      memoryMb: Math.ceil((weightBytes / MIB + 200) / 64) * 64,
      coreSeconds: profile.reduce((total, { coreSeconds }) => total + coreSeconds, 0),
      dimensions: [
        { name: `batch${nameSuffix}`, size: 1, isAssumed: true },
        { name: `sequence${nameSuffix}`, size: 128, isAssumed: false },
      ],
    },
    slices,
    profile,
    cuts: sampleCuts(profile, slices, nameSuffix),
    run,
    coldShare: 0.02,
    costPerMillion: items,
    costPerMonth: [
      { item: 'storage of the slices in S3', dollars: (weightBytes / 2 ** 30) * 0.023 },
      { item: 'dashboards and alarms', dollars: 0 },
    ],
    front: { temperature: 'mixed', quantile: 'p50', ...COMPARED, ...front(run.mixed, slices) },
    requests: { perHour: 10, isAssumed: true, temperature: 'mixed', coldShare: 0.02 },
    ...comparison(run.warm, run.cold, slices.length),
    timelines,
    assumptions: ASSUMPTIONS,
    warnings: [`the sizes of 2 values depend on data, for example of 'boxes${nameSuffix}'`],
  };
}

function sampleProfile({ layers, layerBytes = 28 * MIB, nameSuffix = '' }: SampleOptions): ProfilePoint[] {
  const activation = 0.5 * MIB;
  return Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) =>
    LAYER.map(([operator, weights, compute, live], place): ProfilePoint => {
      const position = layer * LAYER.length + place;
      return {
        first: position,
        last: position,
        node: `/encoder/layer.${layer}/${operator.toLowerCase()}_${place}${nameSuffix}`,
        operator,
        weightBytes: Math.round(layerBytes * weights),
        coreSeconds: (layerBytes / MIB) * 0.0008 * compute * (1 + 0.2 * Math.sin(position)),
        liveBytes: live * activation,
        crossingBytes: place === 5 ? null : (live - 1) * activation,
      };
    }),
  );
}

function sampleSlices(profile: readonly ProfilePoint[], count: number): ReportedSlice[] {
  const layers = profile.length / LAYER.length;
  return Array.from({ length: count }, (_, slice): ReportedSlice => {
    const first = Math.floor((slice * layers) / count) * LAYER.length;
    const end = Math.floor(((slice + 1) * layers) / count) * LAYER.length;
    const points = profile.slice(first, end);
    const weightBytes = points.reduce((sum, point) => sum + point.weightBytes, 0);
    const coreSeconds = points.reduce((sum, point) => sum + point.coreSeconds, 0);
    const readBytes = slice === 0 ? 4_096 : (profile[first - 1].crossingBytes ?? 0);
    const writeBytes = profile[end - 1].crossingBytes ?? 0;
    const activationBytes = Math.max(...points.map(({ liveBytes }) => liveBytes));
    const peakMemoryBytes = 120 * MIB + weightBytes + activationBytes + readBytes + 2 * writeBytes;
    return {
      slice,
      nodes: points.length,
      first,
      last: end - 1,
      fileBytes: weightBytes + 30_000,
      weightBytes,
      activationBytes,
      readBytes,
      writeBytes,
      writesTo: 's3-standard',
      memoryMb: Math.max(512, Math.ceil(peakMemoryBytes / MIB / 64) * 64),
      peakMemoryBytes,
      coreSeconds,
      times: {
        warmMs: 60 + coreSeconds * 1_000,
        loadMs: 180 + (weightBytes / MIB) * 3.2,
        coldMs: 130 + coreSeconds * 1_100,
      },
    };
  });
}

function sampleCuts(
  profile: readonly ProfilePoint[],
  slices: readonly ReportedSlice[],
  suffix: string,
): ReportedCut[] {
  return slices.slice(0, -1).map(({ slice, last, writeBytes }): ReportedCut => {
    const hidden = {
      name: `${profile[last].node}:0${suffix}`,
      dtype: 'float32',
      shape: ['batch', 128, 1024],
    };
    const tensors: CrossingTensor[] = [
      { ...hidden, bytes: writeBytes - 1_024 },
      { name: `mask${suffix}`, dtype: 'int64', shape: [1, 128], bytes: 1_024 },
    ];
    return { slice, position: last + 1, bytes: writeBytes, tensors };
  });
}

/** Two hundredths of the runs are cold. */
function lineItems(slices: readonly ReportedSlice[]): LineItem[] {
  const item = (name: string, warm: number, cold: number): LineItem => ({
    item: name,
    warm,
    mixed: 0.98 * warm + 0.02 * cold,
    cold,
  });
  const gigabyteSeconds = (of: (slice: ReportedSlice) => number): number =>
    slices.reduce((sum, slice) => sum + ((slice.memoryMb / 1_024) * of(slice)) / 1_000, 0);
  const price = 16.6667;
  return [
    item('Lambda requests', 0.2 * slices.length, 0.2 * (2 * slices.length - 1)),
    item(
      'Lambda duration: running',
      price * gigabyteSeconds(({ times }) => times.warmMs),
      price * gigabyteSeconds(({ times }) => times.coldMs),
    ),
    item('Lambda duration: loading', 0, price * gigabyteSeconds(({ times }) => times.loadMs)),
    item('S3 PUT', 5 * slices.length, 5 * slices.length),
    item('S3 GET', 0.4 * slices.length, 0.4 * slices.length + 4.8 * slices.length),
    item('Step Functions', 1.9, 2.6),
  ];
}

function timeline(slices: readonly ReportedSlice[], temperature: 'warm' | 'cold'): TimelineSpan[] {
  const spans: TimelineSpan[] = [];
  const add = (row: string, kind: SpanKind, startMs: number, ms: number): number => {
    spans.push({ row, kind, startMs, endMs: startMs + ms });
    return startMs + ms;
  };
  let end = add('state machine', 'start', 0, 20);
  for (const { slice, coreSeconds, times } of slices) {
    const row = `slice ${slice}`;
    if (temperature === 'cold') {
      const started = add(row, 'start', 20, 140);
      const loaded = add(row, 'load', started, times.loadMs);
      if (loaded < end) add(row, 'wait', loaded, end - loaded);
      end = Math.max(end, loaded);
    }
    end = add('state machine', 'transition', end, 12);
    end = add(row, 'read', end, 27);
    end = add(row, 'run', end, coreSeconds * 1_000);
    end = add(row, 'write', end, 40);
  }
  return spans;
}

function endOf(spans: readonly TimelineSpan[]): number {
  return Math.max(...spans.map(({ endMs }) => endMs));
}

const COMPARED = { comparedCuts: 14, legalCuts: 96, epsilon: 0.005 };

function front(
  chosen: ReportedRun,
  slices: readonly ReportedSlice[],
): { points: FrontPoint[]; plan: FrontPoint; chosen: number } {
  const factors = [0.55, 0.62, 0.71, 0.8, 0.9, 1, 1.12, 1.3, 1.6, 2.1];
  const points = factors.map((factor, index): FrontPoint => {
    const threads = factor < 0.8 ? 4 : 2;
    return {
      slices: Math.max(1, slices.length + 5 - index),
      memoryMb: slices.map(({ memoryMb }) => Math.round(memoryMb / factor)),
      threads,
      transport: factor < 0.75 ? 's3-express' : 's3-standard',
      dollarsPerMillion: chosen.dollarsPerMillion / factor ** 1.3,
      p50: chosen.p50 * factor,
      p95: chosen.p95 * factor,
    };
  });
  const own = factors.indexOf(1);
  return { points, plan: points[own], chosen: own };
}

const OUT: readonly Alternative[] = [
  {
    service: 'Lambda with SnapStart',
    size: '2,048 MB',
    isFeasible: false,
    notes: ['SnapStart excludes provisioned concurrency and EFS.'],
    breaks: ['SnapStart needs at most 512 MB of /tmp, and the model needs 1,400 MB.'],
    monthly: [],
  },
  {
    service: 'SageMaker Serverless',
    size: '2,048 MB',
    isFeasible: false,
    notes: [],
    breaks: ['A request may have at most 4 MB.', 'A run may take at most 60 s.'],
    monthly: [],
  },
];

const RATES = [1, 10, 100, 1_000, 10_000, 100_000];

function comparison(
  warm: ReportedRun,
  cold: ReportedRun,
  slices: number,
): Pick<PlanReport, 'alternatives' | 'cheapest' | 'verdict'> {
  const perRun = (run: ReportedRun, fixed: number): Alternative['monthly'] =>
    RATES.map((requestsPerHour) => ({
      requestsPerHour,
      size: '2,048 MB',
      dollars: fixed + (requestsPerHour * 730 * run.dollarsPerMillion) / 1e6,
    }));
  const scaled = (run: ReportedRun, by: number): ReportedRun => ({
    dollarsPerMillion: run.dollarsPerMillion * by,
    p50: run.p50 * by,
    p95: run.p95 * by,
  });
  const free = { dollarsPerMillion: 0, p50: warm.p50 * 0.4, p95: warm.p95 * 0.4 };
  const feasible = (
    service: string,
    price: ReportedRun,
    fixed: number,
    coldRun: ReportedRun = price,
  ): Alternative => ({
    service,
    size: '2,048 MB',
    isFeasible: true,
    breaks: [],
    notes: [],
    dollarsPerMonth: fixed + (10 * 730 * price.dollarsPerMillion) / 1e6,
    warm: price,
    cold: coldRun,
    monthly: perRun(price, fixed),
  });
  /** Charged by the hour. */
  const standing = (service: string, fixed: number): Alternative => {
    const { dollarsPerMillion, ...times } = free;
    return { ...feasible(service, { ...times, dollarsPerMillion }, fixed), warm: times, cold: times };
  };
  const alternatives = [
    feasible(`slices: ${slices} functions`, warm, 0.5, cold),
    feasible('one Lambda function, weights from S3', scaled(warm, 0.7), 0.6, scaled(cold, 2.4)),
    feasible('one Lambda function, container image', scaled(warm, 0.72), 0.9, scaled(cold, 1.9)),
    standing('Fargate, always on', 43.2),
    standing('Lambda Managed Instances', 310),
    ...OUT,
  ];
  return {
    alternatives,
    cheapest: cheapestOf(alternatives),
    verdict: [
      `Use ${slices === 1 ? 'one function' : `${slices} slices`}: the cheapest plan that answers 95 of 100 cold runs in time.`,
      'One Lambda function costs 0.7 times as much when warm, but needs 2.4 times as long when cold.',
      'At a high request rate, a container that is always on is cheaper.',
    ],
  };
}

/** Looks at a hundred rates of each decade. All prices are linear in the rate. */
function cheapestOf(alternatives: readonly Alternative[]): PlanReport['cheapest'] {
  const priced = alternatives.filter(({ isFeasible }) => isFeasible);
  const priceAt = ({ monthly: [first, second] }: Alternative, rate: number): number =>
    first.dollars +
    ((rate - first.requestsPerHour) * (second.dollars - first.dollars)) /
      (second.requestsPerHour - first.requestsPerHour);
  const ranges: { from: number; to: number; service: string }[] = [];
  for (let step = 0; step <= 500; step++) {
    const rate = 10 ** (step / 100);
    const { service } = priced.reduce((a, b) => (priceAt(b, rate) < priceAt(a, rate) ? b : a));
    const last = ranges.at(-1);
    if (last?.service === service) last.to = Math.round(rate);
    else ranges.push({ from: last?.to ?? 1, to: Math.round(rate), service });
  }
  return ranges;
}

const ASSUMPTIONS: PlanReport['assumptions'] = [
  {
    name: 'prices: lambda.x86GbSecond',
    value: '0.0000166667',
    unit: 'USD/GB-s',
    source: 'https://aws.amazon.com/lambda/pricing/',
    date: '2026-09',
    basis: 'documented',
  },
  {
    name: 'environment: s3.standardGet',
    value: '27 at 50, 74 at 95',
    unit: 'ms by percent',
    source: 'skyrise, storage_latency/s3',
    date: '2024-04',
    basis: 'measured elsewhere',
  },
  {
    name: 'requests per hour',
    value: '50',
    unit: '',
    source: '--requests-per-hour',
    date: '',
    basis: 'given',
  },
];

/** A model of a few nodes in two slices. */
export const SMALL_REPORT: PlanReport = sampleReport({
  layers: 2,
  slices: 2,
  layerBytes: 0.6 * MIB,
  file: 'small.onnx',
});

export const TRANSFORMER_REPORT: PlanReport = sampleReport({
  layers: 24,
  slices: 8,
  layerBytes: 50 * MIB,
  file: 'bert-large.onnx',
});

export const ONE_SLICE_REPORT: PlanReport = sampleReport({
  layers: 6,
  slices: 1,
  layerBytes: 4 * MIB,
  file: 'minilm.onnx',
});

export const CONSOLIDATED_REPORT: PlanReport = consolidated(TRANSFORMER_REPORT);

/** The whole model serves the warm runs. */
function consolidated(report: PlanReport): PlanReport {
  const { model, run, coldShare } = report;
  const warm = {
    dollarsPerMillion: run.warm.dollarsPerMillion / 4,
    p50: run.warm.p50 / 2,
    p95: run.warm.p95 / 2,
  };
  const cold = { ...run.cold, dollarsPerMillion: run.cold.dollarsPerMillion * 1.5, p50: run.cold.p50 + 20 };
  const dollarsPerMillion = (1 - coldShare) * warm.dollarsPerMillion + coldShare * cold.dollarsPerMillion;
  return {
    ...report,
    consolidation: {
      memoryMb: model.memoryMb,
      fileBytes: model.bytes,
      run: { warm, mixed: { ...warm, dollarsPerMillion }, cold },
    },
  };
}

export const FORTY_SLICES_REPORT: PlanReport = sampleReport({
  layers: 40,
  slices: 40,
  layerBytes: 300 * MIB,
  file: 'forty-layers.onnx',
});

/** Markup, quotes, template text of chart libraries, characters that turn the direction of text, and 300 letters. */
export const HOSTILE_SUFFIX =
  `</script><script>document.title='broken'</script><img src=x onerror="document.title='broken'">` +
  `'"\`\${1+1}{b}{a|c}%s\u202e\u2066\u0007\u2028 ${'long'.repeat(75)}`;

export const HOSTILE_REPORT: PlanReport = sampleReport({
  layers: 3,
  slices: 3,
  layerBytes: 4 * MIB,
  file: `model${HOSTILE_SUFFIX}.onnx`,
  nameSuffix: HOSTILE_SUFFIX,
});

/** A plan that another limit than price and time decided. */
export const BESIDE_FRONT_REPORT: PlanReport = besideFront(TRANSFORMER_REPORT);

function besideFront(report: PlanReport): PlanReport {
  const { points, plan, temperature, quantile } = report.front;
  const others = points.filter((point) => point !== plan);
  const slower = {
    ...plan,
    p50: plan.p50 * 1.2,
    p95: plan.p95 * 1.2,
    dollarsPerMillion: plan.dollarsPerMillion * 0.9,
  };
  const counted = { slices: plan.slices, points: [slower, plan], chosen: 1 };
  return { ...report, front: { temperature, quantile, ...COMPARED, points: others, plan, counted } };
}
