/** The sections of the page, in its order: each has a title, charts, and tables with the same numbers. */
import type { PlanReport } from '../plan-report';
import type { Chart } from './charts/chart';
import { costChart } from './charts/cost-chart';
import { cutChart } from './charts/cut-chart';
import { frontChart } from './charts/front-chart';
import { profileChart } from './charts/profile-chart';
import { rateChart } from './charts/rate-chart';
import { timelineChart } from './charts/timeline-chart';
import { type Figure, NOT_PRICED, percentText, quantity, quantityText, requestsText } from '../figures';
import {
  type Table,
  alternativeTable,
  assumptionTable,
  cheapestTable,
  costTable,
  cutTable,
  frontTable,
  monthTable,
  profileTable,
  rateTable,
  runTable,
  sliceTable,
  timelineTable,
} from './tables';

export interface Section {
  /** Also the anchor. */
  readonly id: string;
  readonly title: string;
  /** How to read it. */
  readonly text: string;
  readonly charts: readonly { readonly title?: string; readonly chart: Chart }[];
  /** Tables that are always visible. */
  readonly tables: readonly Table[];
  /** Sentences below them, each about a name. */
  readonly notes: readonly { readonly name: string; readonly sentences: readonly string[] }[];
  /** Tables that repeat a chart: the reader opens them. */
  readonly folded: readonly Table[];
}

/** A large number with its name. */
export interface Headline {
  readonly label: string;
  readonly figure: Figure;
}

/** With consolidation, the whole model has the largest function, and the runs are those of both. */
export function headlines({ model, slices, run: alone, consolidation }: PlanReport): Headline[] {
  const largest = slices.reduce(
    (most, { memoryMb }) => Math.max(most, memoryMb),
    consolidation?.memoryMb ?? 0,
  );
  const run = consolidation?.run ?? alone;
  return [
    { label: slices.length === 1 ? 'slice' : 'slices', figure: quantity('count', slices.length) },
    { label: 'model file', figure: quantity('bytes', model.bytes) },
    { label: 'peak of the whole model', figure: quantity('bytes', model.peakMemoryBytes) },
    { label: 'largest function', figure: quantity('megabytes', largest) },
    { label: 'a million mixed runs', figure: quantity('dollars', run.mixed.dollarsPerMillion) },
    { label: 'warm run, p50', figure: quantity('milliseconds', run.warm.p50) },
    { label: 'cold run, p95', figure: quantity('milliseconds', run.cold.p95) },
  ];
}

/** A plan of one slice has no cuts. */
export function sectionsOf(report: PlanReport): Section[] {
  const { cuts, timelines, consolidation } = report;
  const ofSlices: Section = {
    ...EMPTY,
    id: 'slices',
    title: 'The slices on the graph',
    text: 'Nodes from left to right, in the order in which they run. Each band is a slice.',
    charts: [{ chart: profileChart(report) }],
    tables: [sliceTable(report)],
    folded: [profileTable(report)],
  };
  const ofCuts: Section = {
    ...EMPTY,
    id: 'cuts',
    title: 'What crosses the cuts',
    text: 'The line shows the bytes that a cut at each place would move. It has gaps where no cut is legal.',
    charts: [{ chart: cutChart(report) }],
    folded: [cutTable(report)],
  };
  const runs = ['cold', 'warm'] as const;
  const ofTimelines: Section = {
    ...EMPTY,
    id: 'timelines',
    title: 'A run in time',
    text: `With warm-ups, a cold run starts and loads all functions at once. Delays that vary have their means. The two time axes differ.${
      consolidation ? ' These are runs of the slices alone.' : ''
    }`,
    charts: runs.map((temperature) => ({
      title: `A ${temperature} run`,
      chart: timelineChart(temperature, timelines[temperature]),
    })),
    folded: runs.map((temperature) => timelineTable(temperature, timelines[temperature])),
  };
  const ofAssumptions: Section = {
    ...EMPTY,
    id: 'assumptions',
    title: 'Assumptions and their sources',
    text: 'Every estimate rests on these. --json of the command has them too.',
    tables: [assumptionTable(report)],
  };
  return [
    ofSlices,
    ...(cuts.length > 0 ? [ofCuts] : []),
    costSection(report),
    frontSection(report),
    servicesSection(report),
    ofTimelines,
    ofAssumptions,
  ];
}

const EMPTY = { charts: [], notes: [], tables: [], folded: [] };

function costSection({ run, consolidation, coldShare, costPerMillion, costPerMonth }: PlanReport): Section {
  const runs = consolidation
    ? [runTable('A run, consolidated', consolidation.run), runTable('A run of the slices alone', run)]
    : [runTable('A run', run)];
  return {
    ...EMPTY,
    id: 'cost',
    title: 'The price of a million runs',
    text: [
      `A warm run finds all functions ready, a cold run none. Of the mixed runs, ${percentText(coldShare)} are cold.`,
      ...(consolidation
        ? [
            `A function of ${quantityText('megabytes', consolidation.memoryMb)} with the whole model (${quantityText('bytes', consolidation.fileBytes)}) serves the runs that find it warm. The slices serve the others, and the function loads beside them.`,
            'The chart and the items of the price are those of the slices alone.',
          ]
        : []),
    ].join(' '),
    charts: [{ chart: costChart(costPerMillion, run) }],
    tables: [...runs, costTable(costPerMillion, run), monthTable(costPerMonth)],
  };
}

function frontSection({ front, search }: PlanReport): Section {
  const { points, chosen, counted, quantile, comparedCuts, legalCuts, epsilon } = front;
  const place =
    chosen === undefined
      ? `This plan is beside the front: the number of slices, the cuts or another limit decided.${
          counted === undefined || counted.points.length === 0
            ? ''
            : ` The second line has plans with ${counted.slices} ${counted.slices === 1 ? 'slice' : 'slices'}, as this plan.`
        }`
      : 'This plan is one of them.';
  return {
    ...EMPTY,
    id: 'front',
    title: 'Cost against latency',
    text:
      points.length === 0
        ? 'No plan keeps the limits on memory, so there is only this plan.'
        : `By price and ${quantile}, no other plan is better in both than one of these, with any number of slices. Plans were compared that are cut at some of ${comparedCuts} places, of ${legalCuts} legal ones. Plans that are less than ${percentOf(epsilon)} % cheaper than one as fast may be missing. ${place} Point at a plan to see its slices and its memory.`,
    charts: [{ chart: frontChart(front) }],
    notes: search ? [{ name: 'How exact the search is', sentences: searchSentences(search) }] : [],
    folded: [frontTable(front)],
  };
}

function searchSentences({
  gap,
  tolerance,
  comparedCuts,
  comparedAllCuts,
}: NonNullable<PlanReport['search']>): string[] {
  return [
    ...(gap === undefined || tolerance === undefined
      ? []
      : [
          `The plan is ${percentOf(gap)} % worse than the best one that the search found. Its slices are more even instead, which keeps cuts in place when sizes change a little.`,
          `It is at most ${percentOf(tolerance)} % worse than the best of all plans that are cut where the search compared cuts.`,
        ]),
    comparedAllCuts
      ? 'The search compared all legal cuts.'
      : `The search compared ${comparedCuts} of the legal cuts: those that fewer bytes cross than their neighbors.`,
  ];
}

function percentOf(share: number): string {
  return (100 * share).toLocaleString('en-US', { maximumSignificantDigits: 2 });
}

/** Services that are always on become dearer in steps, so the cheapest one may change often. */
const MOST_SHOWN_RANGES = 8;

function servicesSection({ alternatives, cheapest, requests }: PlanReport): Section {
  const ranges = [cheapestTable(cheapest)];
  const isLong = cheapest.length > MOST_SHOWN_RANGES;
  return {
    id: 'services',
    title: 'Other services, by request rate',
    text: `Both axes are logarithmic. The bands say which service is the cheapest at which rate; each has the size that suits the rate. The first table compares them ${requestsText(requests)}. A service that charges by the hour has no price of a million runs. ${NOT_PRICED}`,
    charts: [{ chart: rateChart(alternatives, cheapest) }],
    notes: alternatives
      .filter(({ breaks, notes }) => breaks.length + notes.length > 0)
      .map(({ service, breaks, notes }) => ({
        name: breaks.length > 0 ? `${service} is out` : service,
        sentences: [...breaks, ...notes],
      })),
    tables: [alternativeTable(alternatives), ...(isLong ? [] : ranges)],
    folded: [...(isLong ? ranges : []), rateTable(alternatives)],
  };
}
