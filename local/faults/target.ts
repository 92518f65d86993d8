/** The sandbox of a function, as faults see it. */

export interface FaultTarget {
  readonly functionName: string;
  /** The payload of the call that it runs; `undefined` between calls. */
  readonly payload: string | undefined;
  crash(): void;
  exceedMemory(): void;
}

/** The run of a slice's call. Calls of other functions have none. */
export function runOf(payload: string): string | undefined {
  const event = JSON.parse(payload) as { readonly run?: unknown } | null;
  return typeof event?.run === 'string' ? event.run : undefined;
}
