/** The history of a Standard execution, as `aws stepfunctions get-execution-history --output json` prints it. */

interface HistoryEvent {
  readonly type: string;
  readonly id: number;
  readonly previousEventId: number;
  /** Milliseconds since the Unix epoch. */
  readonly ms: number;
}

const ENDED = new Set(['TaskSucceeded', 'LambdaFunctionSucceeded']);
const STARTED = new Set(['TaskStarted', 'LambdaFunctionStarted']);

/** Events between the end of a task and the start of the next one. */
const MOST_STEPS = 12;

/** A longer pause is one of a retry or of a redrive. */
const MAX_TRANSITION_MS = 10_000;

/**
 * Milliseconds from the end of each task to the start of the next one, without the way from Step Functions to the function.
 * `undefined` if the content is not a history.
 */
export function historyTransitions(content: string): number[] | undefined {
  const events = eventsOf(content);
  if (events === undefined) return undefined;
  const byId = new Map(events.map((event) => [event.id, event]));
  return events
    .filter(({ type }) => STARTED.has(type))
    .flatMap((started) => {
      let event: HistoryEvent | undefined = started;
      for (let step = 0; step < MOST_STEPS && event !== undefined; step++) {
        event = byId.get(event.previousEventId);
        if (event === undefined || !ENDED.has(event.type)) continue;
        const ms = started.ms - event.ms;
        return ms >= 0 && ms <= MAX_TRANSITION_MS ? [ms] : [];
      }
      return [];
    });
}

/** `undefined` if the content is not a history. */
function eventsOf(content: string): HistoryEvent[] | undefined {
  if (!content.includes('"previousEventId"')) return undefined;
  let value: { readonly events?: unknown } | null;
  try {
    value = JSON.parse(content) as typeof value;
  } catch {
    // A log may contain the words of a history.
    return undefined;
  }
  if (!Array.isArray(value?.events)) return undefined;
  const found = value.events.flatMap((event: unknown): HistoryEvent[] => {
    const { type, id, previousEventId = 0, timestamp } = (event ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof type !== 'string' || typeof id !== 'number' || typeof previousEventId !== 'number') return [];
    const ms = typeof timestamp === 'number' ? timestamp * 1000 : Date.parse(String(timestamp));
    return Number.isFinite(ms) ? [{ type, id, previousEventId, ms }] : [];
  });
  // The events of a log have neither a type nor a number.
  return found.length === 0 ? undefined : found;
}
