/**
 * Receives chunks in order. If it returns a promise, the next chunk comes only after that. The chunk's memory belongs to the sink
 * until then; if it returns nothing, until it returns.
 */
export type Sink = (chunk: Uint8Array) => Promise<void> | undefined;
