/**
 * The lines that Lambda writes to a function's log after a call and after a failed start.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke-with-errors
 */

export type Status =
  | { readonly status: 'success' }
  | { readonly status: 'timeout' }
  | { readonly status: 'error'; readonly errorType: string };

interface InvocationReport {
  readonly requestId: string;
  readonly durationMs: number;
  readonly memoryMegabytes: number;
  /** `undefined` where memory cannot be measured. */
  readonly usedBytes: number | undefined;
  /** Only for a call that started a sandbox. */
  readonly initMs: number | undefined;
  readonly outcome: Status;
}

export function reportLine({
  requestId,
  durationMs,
  memoryMegabytes,
  usedBytes,
  initMs,
  outcome,
}: InvocationReport) {
  // Lambda shows at most what the function has.
  const used =
    usedBytes === undefined ? undefined : Math.min(Math.ceil(usedBytes / 1024 ** 2), memoryMegabytes);
  return [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(durationMs + (initMs ?? 0))} ms`,
    `Memory Size: ${memoryMegabytes} MB`,
    ...(used === undefined ? [] : [`Max Memory Used: ${used} MB`]),
    ...(initMs === undefined ? [] : [`Init Duration: ${initMs.toFixed(2)} ms`]),
    ...statusFields(outcome),
  ].join('\t');
}

/** A start that failed: the first one of a sandbox in the phase `init`, later ones during a call. */
export function initReportLine(durationMs: number, phase: 'init' | 'invoke', outcome: Status): string {
  const fields = [`INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms`, `Phase: ${phase}`];
  return [...fields, ...statusFields(outcome)].join('\t');
}

function statusFields(outcome: Status): string[] {
  if (outcome.status === 'success') return [];
  const fields = [`Status: ${outcome.status}`];
  return outcome.status === 'error' ? [...fields, `Error Type: ${outcome.errorType}`] : fields;
}
