/**
 * Finds the best plan by dynamic programming over the boundaries between candidate cuts.
 *
 * At each boundary it keeps the partial plans of which none is at least as good as another one in all totals. The model of
 * cost is monotone in each total, so a dropped partial plan cannot become a better plan. It also drops partial plans that
 * cannot become better than a complete plan that it has found, even if their rest were as good as possible in each total.
 */
import { Bounds } from './bounds';
import { firstPlans } from './first-plans';
import type { Found } from './incumbents';
import { Incumbents } from './incumbents';
import type { Label } from './labels';
import { LabelSet, START, comparedBy, extended } from './labels';
import type { PlanRequest } from './plan-request';
import type { Steps } from './step-table';
import { stepTableOf } from './step-table';
import type { StretchTable } from './stretch-table';

/** The best plan of the stretches in the table; `undefined` if no plan keeps the limits. */
export function searchedPlan(table: StretchTable, request: PlanRequest): Found | undefined {
  return search(stepTables(table, request), request, false).best;
}

/** The same for steps that are priced already. */
export function bestSteps(steps: Steps, request: PlanRequest): Found | undefined {
  return search([steps], request, false).best;
}

/** A good plan of the stretches in the table, found in time that grows slowly; `undefined` if no plan keeps the limits. */
export function quickPlan(table: StretchTable, request: PlanRequest): Found | undefined {
  const incumbents = new Incumbents(request, false, table.isLast);
  for (const steps of stepTables(table, request))
    for (const label of firstPlans(steps, request)) incumbents.offer(label, steps.shared);
  return incumbents.best;
}

/** The plans within the limits of which none is cheaper and faster than another one, the cheapest first. */
export function paretoFront(table: StretchTable, request: PlanRequest): readonly Found[] {
  const { front } = search(stepTables(table, request), request, true);
  return [...front].sort((a, b) => a.cost.dollars - b.cost.dollars);
}

function search(tables: readonly Steps[], request: PlanRequest, wantsFront: boolean): Incumbents {
  const incumbents = new Incumbents(request, wantsFront, tables[0].isLast);
  // First find a good plan for every setting. Each search then drops partial plans that cannot beat the best of these.
  for (const steps of tables)
    for (const label of firstPlans(steps, request)) incumbents.offer(label, steps.shared);
  for (const steps of tables) searchSteps(steps, request, wantsFront, incumbents);
  return incumbents;
}

function stepTables(table: StretchTable, request: PlanRequest): Steps[] {
  const { transports, threads } = request;
  return transports.flatMap((transport) =>
    threads.map((count) => stepTableOf(table, request, { transport, threads: count })),
  );
}

function searchSteps(table: Steps, request: PlanRequest, wantsFront: boolean, incumbents: Incumbents): void {
  const { model, slices, stepEpsilon = 0 } = request;
  const { count, shared } = table;
  const bounds = new Bounds(table, model, slices);
  if (incumbents.isHopeless(START, bounds.rest(0, 0), shared)) return;
  const last = count - 1;
  // With a fixed number of slices, a partial plan with fewer slices does not replace one with more.
  const layers = slices === undefined ? 1 : slices + 1;
  const by = [
    ...comparedBy(request, wantsFront, shared.transport),
    ...(request.tensorsInState ? [(label: Label) => table.leftInS3(label)] : []),
    // The earlier a stage begins, the fewer slices may join it.
    ...(table.hasBranches ? [(label: Label) => -label.stage.from] : []),
  ];
  const sets = Array.from({ length: layers * count }, () => new LabelSet(by, 1 + stepEpsilon));
  const setOf = (boundary: number, before: number): LabelSet =>
    sets[(slices === undefined ? 0 : before) * count + boundary];
  setOf(0, 0).add(START);
  for (let from = 0; from < last; from++) {
    for (let layer = 0; layer < layers; layer++) {
      for (const label of sets[layer * count + from].labels) {
        // Better plans may have been found since the partial plan was kept.
        if (incumbents.isHopeless(label, bounds.rest(from, label.slices), shared)) continue;
        if (label.slices === slices) continue;
        for (let to = from + 1; to <= last; to++) {
          if (table.steps[from * count + to].length === 0) continue;
          const rest = to === last ? undefined : bounds.rest(to, label.slices + 1);
          if (rest === undefined && to !== last) continue;
          const size = table.size(from, to);
          const joins = table.joins(label, to);
          for (const step of table.after(label, to)) {
            const next = extended(label, to, step, size, model, joins, rest?.loadMs);
            if (to === last) {
              if (slices === undefined || next.slices === slices) incumbents.offer(next, shared);
              continue;
            }
            const set = setOf(to, next.slices);
            if (!incumbents.isHopeless(next, rest, shared)) set.add(next);
          }
        }
      }
    }
  }
}
