/** The tables of the page: they show the numbers of every chart as text. */
import type { FrontPoint, LineItem, PlanReport, ReportedRun, ServiceRun, Temperature } from '../plan-report';
import { type Figure, maybe, quantity } from '../figures';

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Figure[])[];
  /** Rows below the others: sums. */
  readonly foot?: readonly (readonly Figure[])[];
}

export const TEMPERATURES: readonly Temperature[] = ['warm', 'mixed', 'cold'];

export function sliceTable({ slices }: PlanReport): Table {
  return {
    caption: 'The slices',
    head: [
      'slice',
      'nodes',
      'files',
      'weights',
      'activations',
      'reads',
      'writes',
      'to',
      'peak memory',
      'function',
      'compute',
      'load',
      'warm',
      'cold',
    ],
    rows: slices.map((slice) => [
      quantity('count', slice.slice),
      quantity('count', slice.nodes),
      quantity('bytes', slice.fileBytes),
      quantity('bytes', slice.weightBytes),
      quantity('bytes', slice.activationBytes),
      quantity('bytes', slice.readBytes),
      quantity('bytes', slice.writeBytes),
      slice.writesTo,
      quantity('bytes', slice.peakMemoryBytes),
      quantity('megabytes', slice.memoryMb),
      quantity('seconds', slice.coreSeconds),
      quantity('milliseconds', slice.times.loadMs),
      quantity('milliseconds', slice.times.warmMs),
      quantity('milliseconds', slice.times.coldMs),
    ]),
  };
}

export function profileTable({ profile }: PlanReport): Table {
  return {
    caption: 'The nodes, in the order in which they run',
    head: ['from', 'to', 'last node', 'operator', 'weights', 'compute', 'live tensors', 'a cut here moves'],
    rows: profile.map((point) => [
      quantity('count', point.first),
      quantity('count', point.last),
      point.node,
      point.operator,
      quantity('bytes', point.weightBytes),
      quantity('seconds', point.coreSeconds),
      quantity('bytes', point.liveBytes),
      point.crossingBytes === null ? 'no cut here' : quantity('bytes', point.crossingBytes),
    ]),
  };
}

export function cutTable({ cuts }: PlanReport): Table {
  return {
    caption: 'The tensors that cross each cut',
    head: ['after slice', 'before node', 'tensor', 'type', 'bytes', 'all of the cut'],
    rows: cuts.flatMap((cut) =>
      cut.tensors.map((tensor): Figure[] => [
        quantity('count', cut.slice),
        quantity('count', cut.position),
        tensor.name,
        `${tensor.dtype}[${tensor.shape === null ? '...' : tensor.shape.map((size) => size ?? '?').join(', ')}]`,
        quantity('bytes', tensor.bytes),
        quantity('bytes', cut.bytes),
      ]),
    ),
  };
}

export function runTable(caption: string, run: PlanReport['run']): Table {
  return {
    caption,
    head: ['functions', 'a million runs', 'half of the runs take at most', '95 of 100 runs take at most'],
    rows: TEMPERATURES.map((temperature) => [temperature, ...runFigures(run[temperature])]),
  };
}

export function costTable(items: readonly LineItem[], run: PlanReport['run']): Table {
  return {
    caption: 'The price of a million runs',
    head: ['item', ...TEMPERATURES],
    rows: items.map((item) => [
      item.item,
      ...TEMPERATURES.map((temperature) => quantity('dollars', item[temperature])),
    ]),
    foot: [
      ['all', ...TEMPERATURES.map((temperature) => quantity('dollars', run[temperature].dollarsPerMillion))],
    ],
  };
}

export function monthTable(costs: PlanReport['costPerMonth']): Table {
  return {
    caption: 'The price of a month, without runs',
    head: ['item', 'a month'],
    rows: costs.map(({ item, dollars }) => [item, quantity('dollars', dollars)]),
  };
}

export function frontTable({ points, plan, chosen, counted, temperature }: PlanReport['front']): Table {
  const row = (name: Figure, point: FrontPoint): Figure[] => [
    name,
    quantity('count', point.slices),
    memoryText(point.memoryMb),
    quantity('count', point.threads),
    point.transport,
    ...runFigures(point),
  ];
  return {
    caption: `Plans that no other plan beats in both price and time, ${temperature} runs`,
    head: ['plan', 'slices', 'functions', 'threads', 'tensors through', ...RUN_HEAD],
    rows: [
      ...points.map((point, index) =>
        row(index === chosen ? 'this plan' : quantity('count', index + 1), point),
      ),
      ...(counted?.points ?? []).flatMap((point, index) =>
        index === counted?.chosen ? [] : [row(`with as many slices: ${index + 1}`, point)],
      ),
    ],
    ...(chosen === undefined && { foot: [row('this plan', plan)] }),
  };
}

export function alternativeTable(alternatives: PlanReport['alternatives']): Table {
  return {
    caption: 'This plan and other services',
    head: [
      'service',
      'size',
      'a month',
      ...RUN_HEAD.map((head) => `warm: ${head}`),
      ...RUN_HEAD.map((head) => `cold: ${head}`),
    ],
    rows: alternatives.flatMap(({ service, size, dollarsPerMonth, warm, cold }) =>
      warm && cold
        ? [[service, size, maybe('dollars', dollarsPerMonth), ...runFigures(warm), ...runFigures(cold)]]
        : [],
    ),
  };
}

export function cheapestTable(cheapest: PlanReport['cheapest']): Table {
  return {
    caption: 'The cheapest service',
    head: ['from requests per hour', 'below', 'service'],
    rows: cheapest.map(({ from, to, service }) => [quantity('rate', from), quantity('rate', to), service]),
  };
}

/** A row for each rate: more rates than services. */
export function rateTable(alternatives: PlanReport['alternatives']): Table {
  const priced = alternatives.filter(({ monthly }) => monthly.length > 0);
  const all = priced.flatMap(({ monthly }) => monthly.map((point) => point.requestsPerHour));
  const rates = [...new Set(all)].sort((a, b) => a - b);
  return {
    caption: 'The price of a month, by requests per hour',
    head: ['requests per hour', ...priced.map(({ service }) => service)],
    rows: rates.map((rate) => [
      quantity('rate', rate),
      ...priced.map(({ monthly }) =>
        maybe('dollars', monthly.find(({ requestsPerHour }) => requestsPerHour === rate)?.dollars),
      ),
    ]),
  };
}

export function timelineTable(temperature: 'warm' | 'cold', spans: PlanReport['timelines']['warm']): Table {
  return {
    caption: `What a ${temperature} run does`,
    head: ['row', 'does', 'from', 'to'],
    rows: spans.map(({ row, kind, startMs, endMs }) => [
      row,
      kind,
      quantity('milliseconds', startMs),
      quantity('milliseconds', endMs),
    ]),
  };
}

export function assumptionTable({ assumptions }: PlanReport): Table {
  return {
    caption: 'What the estimates assume',
    head: ['assumption', 'value', 'unit', 'known', 'source', 'date'],
    rows: assumptions.map(({ name, value, unit, basis, source, date }) => [
      name,
      value,
      unit,
      basis,
      source,
      date,
    ]),
  };
}

/** The memory of a plan's functions: each run of equal sizes once. */
export function memoryText(memoryMb: readonly number[]): string {
  const runs: { mb: number; count: number }[] = [];
  for (const mb of memoryMb) {
    const last = runs.at(-1);
    if (last?.mb === mb) last.count++;
    else runs.push({ mb, count: 1 });
  }
  return runs
    .map(({ mb, count }) => `${count > 1 ? `${count} × ` : ''}${mb.toLocaleString('en-US')} MB`)
    .join(', ');
}

const RUN_HEAD = ['a million', 'p50', 'p95'];

/** Services that charge by the hour have no price of a run. */
function runFigures({ dollarsPerMillion, p50, p95 }: ReportedRun | ServiceRun): Figure[] {
  return [maybe('dollars', dollarsPerMillion), quantity('milliseconds', p50), quantity('milliseconds', p95)];
}
