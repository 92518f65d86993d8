/** The sections of the page, in its order: each has a title and tables. */
import { NOT_PRICED, OUTSIDE_AWS, atRate, inPercent, quantityText } from '../figures';
import type { PlanReport } from '../plan-report';
import * as tables from './tables';

export interface Section {
  /** Also the anchor. */
  readonly id: string;
  readonly title: string;
  /** How to read it. */
  readonly text: string;
  readonly tables: readonly tables.Table[];
  /** Sentences below them, each about a name. */
  readonly notes: readonly { readonly name: string; readonly sentences: readonly string[] }[];
}

export function sectionsOf(report: PlanReport): Section[] {
  return [
    slicesSection(report),
    costSection(report),
    servicesSection(report),
    {
      id: 'assumptions',
      title: 'Assumptions and their sources',
      text: 'Every estimate rests on these. --json of the command has them too.',
      tables: [tables.assumptionTable(report)],
      notes: [],
    },
  ];
}

/** How the nodes of the slices add up to those that `inspect` counts. */
function nodeCounts({ model, slices, splits }: PlanReport): string {
  const count = (value: number): string => quantityText('count', value);
  const own = slices.reduce((sum, { nodes }) => sum + nodes, 0);
  const [constant, recomputed] = [model.nodes - model.nodesToShareOut, model.nodesToShareOut - own];
  const all = `the ${count(model.nodes)} nodes${splits.length > 0 ? ', parts of split operators included,' : ''}`;
  if (own === model.nodes) return `Each of ${all} runs in one slice`;
  const others = [
    ...(recomputed > 0 ? [`${count(recomputed)} are recomputed in each slice that needs them`] : []),
    ...(constant > 0 ? [`${count(constant)} are constant or unused`] : []),
  ];
  return `Of ${all} ${count(own)} run in one slice each; ${others.join(', and ')}`;
}

/** A plan of one slice has no cuts. */
function slicesSection(report: PlanReport): Section {
  return {
    id: 'slices',
    title: 'The slices',
    text: `${nodeCounts(report)}. The times of a slice leave out what varies, such as waits for S3 and for the state machine, so a run takes longer than their sum.`,
    tables: [tables.sliceTable(report), ...(report.cuts.length > 0 ? [tables.cutTable(report)] : [])],
    notes: [],
  };
}

function costSection({
  run,
  processors,
  consolidation,
  coldShare,
  costPerMillion,
  costPerMonth,
}: PlanReport): Section {
  const runs = consolidation
    ? [
        tables.runTable('A run, consolidated', consolidation.run),
        tables.runTable('A run of the slices alone', run),
      ]
    : [tables.runTable('A run', run)];
  return {
    id: 'cost',
    title: 'The price of a million runs',
    text: [
      `A warm run finds all functions ready, a cold run none. Of the mixed runs, ${inPercent(coldShare)} are cold. Half of the runs end within p50, and 95 of 100 within p95.`,
      ...(consolidation
        ? [
            `A function of ${quantityText('megabytes', consolidation.memoryMb)} with the whole model (${quantityText('bytes', consolidation.fileBytes)}) serves the runs that find it warm. The slices serve the others, and the function loads beside them.`,
          ]
        : []),
      `On both architectures, ${processors.sentence}.`,
    ].join(' '),
    tables: [
      ...runs,
      tables.costTable(
        `The items of the price${consolidation ? ', of the slices alone' : ''}`,
        costPerMillion,
        run,
      ),
      tables.monthTable(costPerMonth),
    ],
    notes: [],
  };
}

function servicesSection({ alternatives, requests }: PlanReport): Section {
  return {
    id: 'services',
    title: 'Other services',
    text: `The table compares them ${atRate(requests)}. Each service has its cheapest size. One Lambda function has the cheapest size with which it is neither more expensive nor slower than this plan, if there is such a size. A service that charges by the hour has no price of a million runs. What rests on a guess is never called cheapest. ${NOT_PRICED} ${OUTSIDE_AWS}`,
    notes: alternatives
      .filter(({ breaks, guess, notes }) => breaks.length + notes.length > 0 || guess !== undefined)
      .map(({ service, breaks, guess, notes }) => ({
        name: breaks.length > 0 ? `${service} is out` : service,
        sentences: [...breaks, ...(guess === undefined ? [] : [`A guess: ${guess}`]), ...notes],
      })),
    tables: [tables.alternativeTable(alternatives)],
  };
}
