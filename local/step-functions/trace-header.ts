/**
 * The trace that the calls of an execution belong to. The local cloud keeps no traces, so their headers say that nobody
 * samples them. Functions can still log the id.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
import { randomBytes } from 'node:crypto';

/** @param header of the caller that started the execution; without one, the execution begins a trace of its own */
export function traceRoot(header: string | undefined, startMs: number): string {
  const given = /(?:^|;)\s*Root=([^;\s]+)/.exec(header ?? '')?.[1];
  if (given !== undefined) return given;
  const seconds = Math.floor(startMs / 1000).toString(16);
  return `1-${seconds.padStart(8, '0')}-${randomBytes(12).toString('hex')}`;
}

/** The header of one call. */
export function traceHeaderOfCall(root: string): string {
  return `Root=${root};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
}
