// Writes the software bill of materials (CycloneDX) of the packages that ship.
import { execFileSync } from 'node:child_process';
import { IS_WINDOWS, NPM, ROOT } from './project.mjs';

/**
 * Returns npm's bill of materials of the lock file, reduced to the packages that ship. It holds no time, no random
 * serial number and no version of npm, so that the same sources have the same text.
 *
 * @param {import('./third-party.mjs').ThirdPartyPackage[]} packages
 */
export function billOfMaterials(packages) {
  const whole = JSON.parse(
    execFileSync(NPM, ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
      cwd: ROOT,
      encoding: 'utf8',
      shell: IS_WINDOWS,
      maxBuffer: 2 ** 28,
    }),
  );
  const shipped = new Set(packages.map(({ id }) => id));
  const components = whole.components
    .filter(({ name, group, version }) => shipped.has(`${group ? `${group}/` : ''}${name}@${version}`))
    .map((component) => ({ ...component, scope: 'required', properties: undefined }))
    .sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  const found = new Set(components.map((component) => component['bom-ref']));
  const missing = packages.map(({ id }) => id).filter((id) => !found.has(id));
  if (missing.length > 0)
    throw new Error(
      `package-lock.json must hold each package that ships, got no ${missing.join(', ')}: run \`npm install\``,
    );
  const { bomFormat, specVersion, metadata } = whole;
  const component = { ...metadata.component, properties: undefined };
  const dependencies = whole.dependencies
    .filter(({ ref }) => found.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((id) => found.has(id)).sort() }))
    .sort((a, b) => (a.ref < b.ref ? -1 : 1));
  const own = { ref: component['bom-ref'], dependsOn: [...found].sort() };
  const bill = {
    bomFormat,
    specVersion,
    version: 1,
    metadata: { component: { ...component, name: component['bom-ref'].replace(/@[^@]*$/, '') } },
    components,
    dependencies: [own, ...dependencies],
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}
