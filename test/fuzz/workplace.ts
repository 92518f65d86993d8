/** The temporary folder of the fuzzer: two folders for models, used in turn, with the files beside each model. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { BESIDE_MODEL } from './mutate-external';

const MODEL_FILE = 'model.onnx';
const PLACES = 2;

export class Workplace {
  /** Temporary files of the watched process, which may be killed before it removes them. */
  readonly temporary: string;
  private readonly root = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-fuzz-'));

  constructor() {
    this.temporary = path.join(this.root, 'tmp');
    fs.mkdirSync(this.temporary);
    for (let place = 0; place < PLACES; place++) putBeside(this.folder(place));
  }

  /** Writes the model of a run, which exists until the next but one run, and returns its path. */
  writeModel(run: number, model: Uint8Array): string {
    const file = path.join(this.folder(run % PLACES), MODEL_FILE);
    fs.writeFileSync(file, model);
    return file;
  }

  /** Copies the model of a run and the files beside it into `folder`. */
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

function putBeside(folder: string): void {
  for (const beside of BESIDE_MODEL) {
    const file = path.join(folder, beside.name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if ('linkTo' in beside) fs.symlinkSync(beside.linkTo, file);
    else fs.writeFileSync(file, new Uint8Array(beside.bytes));
  }
}
