/** The file of `--write-env`: it exists while the local cloud serves, and is complete from the beginning. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SlicedInferenceError, systemReason } from '../../lib/errors';

/** The first words of the file. A file that starts with others is not replaced. */
export const HEADING = '# S3 and Step Functions of the pipeline in ';

/** The file's last line names the process that serves. */
const PROCESS_LINE = /^# process ([1-9]\d{0,9})\b/m;

export class EnvFile {
  private written: string | undefined;

  /**
   * Removes the file that an earlier command has left, so that a program can wait for this one.
   * @throws SlicedInferenceError if the file is not of this kind, a running command has written it, or its folder cannot be written
   */
  constructor(private readonly file: string) {
    const found = this.read();
    if (found?.startsWith(HEADING) === false) {
      throw new SlicedInferenceError(
        `option --write-env expects a file that does not exist or that an earlier \`local\` wrote`,
        `'${file}' with other content`,
        'choose another file',
      );
    }
    const server = Number(PROCESS_LINE.exec(found ?? '')?.[1] ?? NaN);
    if (isRunning(server)) {
      throw new SlicedInferenceError(
        `option --write-env expects a file that no running \`local\` wrote`,
        `'${file}' of process ${server}`,
        `stop that process, choose another file, or remove this one`,
      );
    }
    this.attempt(() => {
      fs.rmSync(file, { force: true });
      fs.accessSync(path.dirname(file), fs.constants.W_OK);
    });
  }

  /** Makes the file appear with all of its text, which only its owner can read. */
  write(variables: string): void {
    const text = `${variables}# process ${process.pid}\n`;
    const draft = `${this.file}.${process.pid}`;
    this.attempt(() => {
      // A draft that is already there may have another mode, or be a link.
      fs.rmSync(draft, { force: true });
      fs.writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
      fs.renameSync(draft, this.file);
    });
    this.written = text;
    process.once('exit', this.onExit);
  }

  /** Removes the file, unless another command has replaced it. */
  remove(): void {
    process.off('exit', this.onExit);
    if (this.written !== undefined && this.read() === this.written) fs.rmSync(this.file, { force: true });
    this.written = undefined;
  }

  private readonly onExit = (): void => {
    this.remove();
  };

  private read(): string | undefined {
    if (!fs.existsSync(this.file)) return undefined;
    return this.attempt(() => fs.readFileSync(this.file, 'utf8'));
  }

  private attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new SlicedInferenceError(
        `option --write-env expects a file that can be written, such as cloud.env`,
        `${systemReason(error)} for '${this.file}'`,
        'choose another file',
      );
    }
  }
}

/** Signal 0 is not sent. It only asks whether the process exists. */
function isRunning(pid: number): boolean {
  if (Number.isNaN(pid)) return false;
  // In a container that has restarted, this process may have the id of the one that wrote the file.
  if (pid === process.pid || pid === process.ppid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // A process of another user refuses all signals.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
