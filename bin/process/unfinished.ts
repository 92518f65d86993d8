/** What a command makes outside of the temporary folder before it is complete: removed when the command is killed. */
import * as fs from 'node:fs';
import type { Unfinished } from '../../lib/emit/write';

/** Environment variable with the path of the note. */
export const UNFINISHED_VARIABLE = 'SLICED_INFERENCE_UNFINISHED';

/** Leaves a note for the process that watches over this one, if one does. */
export function noteUnfinished(unfinished: Unfinished): void {
  const note = process.env[UNFINISHED_VARIABLE];
  if (note !== undefined) fs.writeFileSync(note, JSON.stringify(unfinished));
}

/** Removes what the note names and is still there. Does nothing when there is no note. */
export function removeUnfinished(note: string): void {
  if (!fs.existsSync(note)) return;
  const { partial, parents } = JSON.parse(fs.readFileSync(note, 'utf8')) as Unfinished;
  fs.rmSync(partial, { recursive: true, force: true });
  for (const parent of parents) {
    try {
      fs.rmdirSync(parent);
    } catch {
      // It holds something: what the command completed, or what another process put there.
      return;
    }
  }
}
