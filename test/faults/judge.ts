/** Decides whether an execution under faults ended as it may: with the result of a run without faults, or with a named failure. */
import { createHash } from 'node:crypto';
import { decodeInlineTensor, decodeTensors, type ExecutionOutput, type RawTensor } from '../../client';
import type { ExecutionResult, FaultKind, InjectedFault } from '../../local';
import { explaining } from './explanations';

export type Verdict =
  | { readonly outcome: 'identical' }
  | { readonly outcome: 'failed'; readonly error: string; readonly because: readonly FaultKind[] }
  | { readonly outcome: 'wrong' | 'mixed' | 'unexplained'; readonly what: string };

/** Identifies names, types, shapes and bits of tensors, in any order. */
export function fingerprint(tensors: ReadonlyMap<string, RawTensor>): string {
  const hash = createHash('sha256');
  for (const [name, tensor] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([name, tensor.dtype, tensor.shape]));
    hash.update(tensor.dtype === 'string' ? JSON.stringify(tensor.strings) : tensor.bytes);
  }
  return hash.digest('hex');
}

/** The fingerprints of a successful execution's results: in S3, and inline if they are there. */
export async function results(
  output: ExecutionOutput,
  read: (key: string) => Promise<Uint8Array>,
): Promise<ReadonlyMap<'in S3' | 'inline', string>> {
  const found = new Map<'in S3' | 'inline', string>();
  found.set('in S3', fingerprint(decodeTensors(await read(output.outputs.s3?.key ?? ''))));
  const { tensors } = output.outputs;
  if (tensors !== undefined) {
    const decoded = Object.entries(tensors).map(
      ([name, tensor]) => [name, decodeInlineTensor(name, tensor)] as const,
    );
    found.set('inline', fingerprint(new Map(decoded)));
  }
  return found;
}

interface Expectation {
  /** Fingerprints of the results without faults, by request. */
  readonly references: readonly string[];
  readonly request: number;
}

/** @param found fingerprints of the results */
export function judgeResults(
  found: ReadonlyMap<string, string>,
  { references, request }: Expectation,
): Verdict {
  for (const [where, print] of found) {
    if (print === references[request]) continue;
    const other = references.indexOf(print);
    return other < 0
      ? { outcome: 'wrong', what: `the result ${where} of request ${request} has other bits` }
      : { outcome: 'mixed', what: `the result ${where} of request ${request} is that of request ${other}` };
  }
  return { outcome: 'identical' };
}

/** A failure must be named by a fault that was injected into the execution. */
export function judgeFailure(
  { status, error, cause }: Exclude<ExecutionResult, { readonly status: 'SUCCEEDED' }>,
  faults: readonly InjectedFault[],
): Verdict {
  const because = explaining(
    faults.map(({ kind }) => kind),
    { error, cause },
  );
  if (status === 'FAILED' && because.length > 0) return { outcome: 'failed', error, because };
  return { outcome: 'unexplained', what: `${status}: ${error}: ${cause}` };
}
