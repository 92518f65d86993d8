// Follows the README in a fresh clone of the last commit, command by command, and fails when a command fails or prints
// something else than the text says. The commands themselves install, build and pack.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { MANIFEST, ROOT } from '../project.mjs';
import { App, withEmptyFolder } from './app.mjs';
import { follow, stepsOf } from './transcript.mjs';

const README = 'README.md';

if (git(['rev-parse', 'HEAD'], ROOT) === 0) await withEmptyFolder(followInClone);
else console.log('skipped: a fresh clone needs git, and the repository of this folder');

async function followInClone(folder) {
  const clone = path.join(folder, MANIFEST.name);
  if (git(['clone', '--quiet', '--local', ROOT, clone], folder) !== 0)
    throw new Error('the repository must be one that git clones');
  const steps = stepsOf(README, fs.readFileSync(path.join(clone, README), 'utf8'));
  App.typescript(path.join(folder, 'app'));
  const app = new App('sh', clone);
  // The registry is asked only for what this machine has not installed before.
  app.variables.npm_config_prefer_offline = 'true';
  const { seconds, lines } = await follow(app, steps);
  console.log(`${lines.join('\n')}\nREADME: followed in ${seconds} s`);
}

function git(args, cwd) {
  return spawnSync('git', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] }).status;
}
