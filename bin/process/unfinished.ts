/** Notes incomplete output outside the temporary folder, so that it is removed when the command is killed. */
import * as fs from 'node:fs';
import type { Unfinished } from '../../lib/emit/write';

/** Environment variable with the path of the file that holds the note. */
export const UNFINISHED_VARIABLE = 'SLICED_INFERENCE_UNFINISHED';

/** Writes the note for the supervising process, if there is one. */
export function noteUnfinished(unfinished: Unfinished): void {
  const note = process.env[UNFINISHED_VARIABLE];
  if (note !== undefined) fs.writeFileSync(note, JSON.stringify(unfinished));
}

/** Removes the files and empty folders that the note names. Does nothing without a note. */
export function removeUnfinished(note: string): void {
  if (!fs.existsSync(note)) return;
  const { partial, parents } = JSON.parse(fs.readFileSync(note, 'utf8')) as Unfinished;
  // It does not exist where a file is in the way, which `force` alone would not accept.
  if (fs.existsSync(partial)) fs.rmSync(partial, { recursive: true, force: true });
  for (const parent of parents) {
    try {
      fs.rmdirSync(parent);
    } catch {
      // The folder is not empty: it holds completed output, or files of another process.
      return;
    }
  }
}
