// Asks npm's registry for known vulnerabilities of the packages that ship. With `--required` it fails if the registry does
// not answer. Run `npm run pack` before.
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { thirdPartyPackages } from './third-party.mjs';
import { IS_WINDOWS, NPM, ROOT } from './project.mjs';

const packages = thirdPartyPackages();
const npm = spawnSync(NPM, ['audit', '--json', '--package-lock-only'], {
  cwd: ROOT,
  encoding: 'utf8',
  shell: IS_WINDOWS,
});
// npm exits with 1 both if it finds something and if it cannot ask.
const { vulnerabilities, message } = JSON.parse(npm.stdout);
if (vulnerabilities === undefined) {
  const { values } = parseArgs({ options: { required: { type: 'boolean', default: false } } });
  console.log(
    `${values.required ? 'error' : 'skipped'}: npm must ask the registry for vulnerabilities, got ${message}`,
  );
  if (values.required) process.exitCode = 1;
} else {
  const folders = new Set(
    packages.map(({ folder }) => path.relative(ROOT, folder).split(path.sep).join('/')),
  );
  const found = Object.values(vulnerabilities).filter(({ nodes }) => nodes.some((node) => folders.has(node)));
  for (const { name, severity } of found)
    console.error(
      `error: ${name} ships and has a vulnerability of severity ${severity}: update or remove it`,
    );
  if (found.length === 0)
    console.log(`npm audit: no known vulnerability in the ${packages.length} packages that ship`);
  else process.exitCode = 1;
}
