// Asks npm's registry for known vulnerabilities of the packages that ship. Run `npm run pack` before.
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLED_DEPENDENCIES } from './bundled-dependencies.mjs';
import { thirdPartyPackages } from './third-party.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const packages = thirdPartyPackages(root, BUNDLED_DEPENDENCIES);
const npm = spawnSync('npm', ['audit', '--json', '--package-lock-only'], {
  cwd: root,
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
// npm exits with 1 both if it finds something and if it cannot ask.
const { vulnerabilities, message } = JSON.parse(npm.stdout);
if (vulnerabilities === undefined) {
  console.log(`skipped: npm must ask the registry for vulnerabilities, got ${message}`);
} else {
  const folders = new Set(
    packages.map(({ folder }) => path.relative(root, folder).split(path.sep).join('/')),
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
