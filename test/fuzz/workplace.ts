/** The temporary folder of a run: two places for models, used in turn, and what lies beside each model. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { BESIDE_MODEL } from './mutate-external';

const MODEL_FILE = 'model.onnx';
const PLACES = 2;

export class Workplace {
  /** For what the watched process makes: it may be killed before it tidies up. */
  readonly temporary: string;
  private readonly root = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-fuzz-'));

  constructor() {
    this.temporary = path.join(this.root, 'tmp');
    fs.mkdirSync(this.temporary);
    for (let place = 0; place < PLACES; place++) putBeside(this.folder(place));
  }

  /** Writes the model of a run; it stays until the next run but one. */
  writeModel(run: number, model: Uint8Array): string {
    const file = path.join(this.folder(run % PLACES), MODEL_FILE);
    fs.writeFileSync(file, model);
    return file;
  }

  /** Copies the model of a run, with all that lies beside it, to where it stays. */
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
