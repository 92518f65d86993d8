// Follows the quickstart in an empty folder beside a clone, command by command, with npm's package, and fails when a command
// fails or prints something else than the text says. Run `npm run pack` before.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { MANIFEST, ROOT, checkPacked } from '../project.mjs';
import { App, withEmptyFolder } from './app.mjs';
import { follow, stepsOf } from './transcript.mjs';

const QUICKSTART = 'examples/quickstart/README.md';

/** A stranger's patience, in seconds of waiting for commands. */
const LONGEST = 600;

checkPacked();
await withEmptyFolder(async (folder) => {
  fs.symlinkSync(ROOT, path.join(folder, MANIFEST.name), 'dir');
  const own = path.join(folder, 'quickstart');
  fs.mkdirSync(own);
  const steps = stepsOf(QUICKSTART, fs.readFileSync(path.join(ROOT, QUICKSTART), 'utf8'));
  const { seconds, lines } = await follow(new App('sh', own), steps);
  console.log(lines.join('\n'));
  if (seconds > LONGEST)
    throw new Error(`the commands of the quickstart must take at most ${LONGEST} s, got ${seconds} s`);
  console.log(`quickstart: followed in ${seconds} s`);
});
