/** What callers see of a worker. */
export interface WorkerProcess {
  readonly functionName: string;
  readonly logicalId: string;
  readonly pid: number;
  /** Whether the process is running a call. */
  readonly busy: boolean;
  /** What its `/tmp` is on this machine. It stays when the process ends before its sandbox. */
  readonly temporaryFolder: string;
}
