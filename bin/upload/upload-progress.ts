/** Counts the bytes of all files that are in S3. */
import type { UploadTask } from './upload-task';

export interface UploadProgress {
  /** Bytes that are in S3, sent now or earlier. */
  readonly doneBytes: number;
  /** Bytes of all files. */
  readonly totalBytes: number;
}

export class Progress {
  private readonly doneOf = new Map<UploadTask, number>();
  private readonly totalBytes: number;
  private doneBytes = 0;

  constructor(
    tasks: readonly UploadTask[],
    private readonly listener: ((progress: UploadProgress) => void) | undefined,
  ) {
    this.totalBytes = tasks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  of(task: UploadTask): (bytes: number) => void {
    return (bytes) => {
      this.doneOf.set(task, (this.doneOf.get(task) ?? 0) + bytes);
      this.doneBytes += bytes;
      this.listener?.({ doneBytes: this.doneBytes, totalBytes: this.totalBytes });
    };
  }

  /** Counts the bytes of a file that did not have to be sent. */
  complete(task: UploadTask): void {
    const missing = task.bytes - (this.doneOf.get(task) ?? 0);
    if (missing > 0) this.of(task)(missing);
  }
}
