/** Writes the files beside a model, which its external data may name. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { BESIDE_MODEL } from './mutate-external';

export function putBesideModel(folder: string): void {
  for (const beside of BESIDE_MODEL) {
    const file = path.join(folder, beside.name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if ('linkTo' in beside) fs.symlinkSync(beside.linkTo, file);
    else fs.writeFileSync(file, new Uint8Array(beside.bytes));
  }
}
