/** The file of `--write-env`: it exists while the local cloud serves, and is complete from the beginning. */
import * as fs from 'node:fs';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { linkTarget } from '../../lib/host/folders';
import { checkPlace, writeNamedFile } from '../outputs/named-file';
import { processLine } from '../terminal/shells';

/** The first words of the file. A file that starts with others is not replaced. */
export const HEADING = '# S3 and Step Functions of the pipeline in ';

const FLAG = '--write-env';

export class EnvFile {
  /** A file behind links. */
  readonly target: string;
  private written: string | undefined;

  /**
   * Removes the file that an earlier command has left, so that a program can wait for this one.
   * @throws SlicedInferenceError if the file is not of this kind, or its folder cannot be written
   */
  constructor(private readonly file: string) {
    checkPlace(file, FLAG);
    this.target = linkTarget(file);
    const found = this.read();
    if (found === undefined) return;
    if (!found.startsWith(HEADING)) {
      throw new SlicedInferenceError(
        `option ${FLAG} expects a file that does not exist or that an earlier \`local\` wrote`,
        `${quoted(file)} with other content`,
        'choose another file',
      );
    }
    fs.rmSync(this.target);
  }

  /** Makes the file appear with all of its text, which only its owner can read. The last line names the process that serves. */
  async write(variables: string): Promise<void> {
    const text = `${variables}${processLine(process.pid)}\n`;
    await writeNamedFile(this.file, FLAG, text, 0o600);
    this.written = text;
    process.once('exit', this.onExit);
  }

  /** Removes the file, unless another command has replaced it. */
  remove(): void {
    process.off('exit', this.onExit);
    if (this.written !== undefined && this.read() === this.written) fs.rmSync(this.target);
    this.written = undefined;
  }

  private readonly onExit = (): void => {
    this.remove();
  };

  /** `undefined` for a file that does not exist, and for a device or a pipe. */
  private read(): string | undefined {
    const isFile = fs.statSync(this.target, { throwIfNoEntry: false })?.isFile() === true;
    return isFile ? fs.readFileSync(this.target, 'utf8') : undefined;
  }
}
