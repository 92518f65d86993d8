/** Pairs what functions log of their calls with Lambda's reports of the same requests. */

export interface PairedLine<Line, Report> {
  readonly line: Line;
  /** Absent if the logs have no report of the request. */
  readonly report?: Report;
}

/** A request counts once, even if several files have its messages. */
export class LoggedRequests<Line, Report> {
  private readonly lineOf = new Map<string, Line>();
  private readonly reportOf = new Map<string, Report>();

  /** Number of lines and reports. */
  get size(): number {
    return this.lineOf.size + this.reportOf.size;
  }

  /** @param requestId absent in the line of a test that calls the handler itself */
  addLine(requestId: string | undefined, line: Line): void {
    this.lineOf.set(requestId ?? `line ${this.lineOf.size}`, line);
  }

  addReport(requestId: string, report: Report): void {
    this.reportOf.set(requestId, report);
  }

  lines(): PairedLine<Line, Report>[] {
    return [...this.lineOf].map(([id, line]) => {
      const report = this.reportOf.get(id);
      return report === undefined ? { line } : { line, report };
    });
  }

  /** All reports, whether or not the request has a line. */
  reports(): Report[] {
    return [...this.reportOf.values()];
  }

  reportsWithoutLine(): Report[] {
    return [...this.reportOf].filter(([id]) => !this.lineOf.has(id)).map(([, report]) => report);
  }
}
