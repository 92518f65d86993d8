/** The temporary folder of the fuzzer: two folders for cases, used in turn, with the files beside each case. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const PLACES = 2;

export class Workplace {
  /** Temporary files of the watched process, which may be killed before it removes them. */
  readonly temporary: string;
  private readonly root = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-fuzz-'));

  /**
   * @param file name of the file of a case
   * @param putBeside writes the files beside a case into a folder
   */
  constructor(
    private readonly file: string,
    putBeside: (folder: string) => void = () => undefined,
  ) {
    this.temporary = path.join(this.root, 'tmp');
    fs.mkdirSync(this.temporary);
    for (let place = 0; place < PLACES; place++) {
      fs.mkdirSync(this.folder(place));
      putBeside(this.folder(place));
    }
  }

  /** Writes the file of a run, which exists until the next but one run, and returns its path. */
  write(run: number, content: Uint8Array): string {
    const file = path.join(this.folder(run % PLACES), this.file);
    fs.writeFileSync(file, content);
    return file;
  }

  /** Copies the file of a run and the files beside it into `folder`. */
  keep(run: number, folder: string): void {
    fs.cpSync(this.folder(run % PLACES), path.join(folder, `run-${run}`), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 3 });
  }

  private folder(place: number): string {
    return path.join(this.root, `place-${place}`);
  }
}
