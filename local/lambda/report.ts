/**
 * The lines that Lambda writes to a function's log after a call and after a failed start.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke-with-errors
 */

export type Failure =
  { readonly status: 'timeout' } | { readonly status: 'error'; readonly errorType: string };

interface InvocationReport {
  readonly requestId: string;
  readonly durationMs: number;
  readonly memoryMegabytes: number;
  readonly usedBytes: number | undefined;
  /** Only for a call that started a sandbox. */
  readonly initMs: number | undefined;
  readonly failure: Failure | undefined;
}

export function reportLine(report: InvocationReport): string {
  const { requestId, durationMs, memoryMegabytes, usedBytes, initMs, failure } = report;
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(durationMs + (initMs ?? 0))} ms`,
    `Memory Size: ${memoryMegabytes} MB`,
  ];
  if (usedBytes !== undefined) {
    // Lambda shows at most what the function has.
    fields.push(`Max Memory Used: ${Math.min(Math.ceil(usedBytes / 1024 ** 2), memoryMegabytes)} MB`);
  }
  if (initMs !== undefined) fields.push(`Init Duration: ${initMs.toFixed(2)} ms`);
  return [...fields, ...statusFields(failure)].join('\t');
}

/** A start that failed: the first one of a sandbox in the phase `init`, later ones during a call. */
export function initReportLine(durationMs: number, phase: 'init' | 'invoke', failure: Failure): string {
  const fields = [`INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms`, `Phase: ${phase}`];
  return [...fields, ...statusFields(failure)].join('\t');
}

function statusFields(failure: Failure | undefined): string[] {
  if (failure === undefined) return [];
  const fields = [`Status: ${failure.status}`];
  return failure.status === 'error' ? [...fields, `Error Type: ${failure.errorType}`] : fields;
}
