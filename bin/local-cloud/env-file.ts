/** The file of `--write-env`: it exists while the local cloud serves, and is complete from the beginning. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SlicedInferenceError, systemReason } from '../../lib/errors';

/** The first words of the file. A file that starts with others is not replaced. */
export const HEADING = '# S3 and Step Functions of the pipeline in ';

export class EnvFile {
  private written: string | undefined;

  /**
   * Removes the file that an earlier command has left, so that a program can wait for this one.
   * @throws SlicedInferenceError if the file is not of this kind, or its folder cannot be written
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
    this.attempt(() => {
      fs.rmSync(file, { force: true });
      fs.accessSync(path.dirname(file), fs.constants.W_OK);
    });
  }

  /** Makes the file appear with all of its text, which only its owner can read. */
  write(text: string): void {
    const draft = `${this.file}.${process.pid}`;
    this.attempt(() => {
      fs.writeFileSync(draft, text, { mode: 0o600 });
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
