/** Draws a run of a plan as spans in time. Delays that vary have their means, as they add up. */
import { type Schedule, type Stage, storeDelays } from '../../../lib/cost/schedule';
import type { SpanKind, TimelineSpan } from '../plan-report';
import type { PricedPlan } from '../../../lib/plan/pricing/price';

const STATE_MACHINE = 'state machine';
const CALLER = 'caller';

export function runTimeline(plan: PricedPlan, temperature: 'warm' | 'cold'): TimelineSpan[] {
  return new Timeline(plan, temperature === 'cold').spans;
}

class Timeline {
  readonly spans: TimelineSpan[] = [];
  /** By slice that was warmed up: when it is loaded. */
  private readonly loadedAt = new Map<number, number>();

  constructor(
    private readonly plan: PricedPlan,
    private readonly isCold: boolean,
  ) {
    const { model, steps, schedule } = plan;
    const end = this.afterAll(schedule, 0);
    const { get } = model.stores[steps[steps.length - 1].writesTo];
    if (model.options.result === 's3') this.draw(CALLER, 'read', end, get.mean);
  }

  private afterAll(schedule: Schedule, start: number): number {
    return schedule.reduce((end, stage) => this.after(stage, end), start);
  }

  private after(stage: Stage, start: number): number {
    switch (stage.kind) {
      case 'slice':
        return this.afterSlice(stage.slice, start);
      case 'warm-up': {
        if (!this.isCold) return start;
        const loaded = this.afterLoad(stage.slice, this.afterTransition(start));
        this.loadedAt.set(stage.slice, loaded);
        return loaded;
      }
      case 'parallel': {
        const from = this.afterTransition(start);
        return Math.max(...stage.branches.map((branch) => this.afterAll(branch, from)));
      }
    }
  }

  private afterSlice(slice: number, start: number): number {
    const { model, steps } = this.plan;
    const { cost } = steps[slice];
    const delays = storeDelays(model, steps[slice]);
    const { readMs, runMs, firstRunMs, writeMs } = cost.parts;
    const row = rowOf(slice);
    const called = this.afterTransition(start);
    const ready = this.isCold && !this.loadedAt.has(slice) ? this.afterLoad(slice, called) : called;
    const waits = this.loadedAt.get(slice) ?? ready;
    this.draw(row, 'wait', waits, ready - waits);
    const read = this.draw(row, 'read', ready, readMs + (delays.read?.mean ?? 0));
    const run = this.draw(row, 'run', read, runMs + (this.isCold ? firstRunMs : 0));
    return this.draw(row, 'write', run, writeMs + (delays.write?.mean ?? 0));
  }

  private afterLoad(slice: number, start: number): number {
    const { startMs, sliceLoadMs } = this.plan.steps[slice].cost.parts;
    return this.draw(rowOf(slice), 'load', this.draw(rowOf(slice), 'start', start, startMs), sliceLoadMs);
  }

  private afterTransition(start: number): number {
    return this.draw(STATE_MACHINE, 'transition', start, this.plan.model.transition.mean);
  }

  /** @returns the end of the span */
  private draw(row: string, kind: SpanKind, startMs: number, ms: number): number {
    if (ms > 0) this.spans.push({ row, kind, startMs, endMs: startMs + ms });
    return startMs + ms;
  }
}

function rowOf(slice: number): string {
  return `slice ${slice}`;
}
