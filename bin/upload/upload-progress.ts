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

  constructor(
    tasks: readonly UploadTask[],
    private readonly listener: ((progress: UploadProgress) => void) | undefined,
  ) {
    this.totalBytes = tasks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** @param bytes of this file that are in S3 */
  update(task: UploadTask, bytes: number): void {
    this.doneOf.set(task, bytes);
    const doneBytes = [...this.doneOf.values()].reduce((sum, done) => sum + done, 0);
    this.listener?.({ doneBytes, totalBytes: this.totalBytes });
  }
}
