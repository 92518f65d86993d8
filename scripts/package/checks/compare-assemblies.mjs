// Compares two cloud assemblies of the same stack that apps in two languages synthesized.
import { isDeepStrictEqual } from 'node:util';
import * as fs from 'node:fs';
import * as path from 'node:path';

/** CDK's analytics: a resource that names the languages and constructs of the app, and the condition of that resource. */
const ANALYTICS = { Resources: 'CDKMetadata', Conditions: 'CDKMetadataAvailable' };

/**
 * Checks that two templates are equal, in all but CDK's analytics.
 *
 * @param {string} file template of one assembly
 * @param {string} other template of the other one
 * @returns {number} number of resources that were compared
 * @throws Error with the paths in the template that differ
 */
export function compareTemplates(file, other) {
  const [template, otherTemplate] = [file, other].map((each) =>
    withoutAnalytics(JSON.parse(fs.readFileSync(each, 'utf8'))),
  );
  const found = differences(template, otherTemplate, '');
  if (found.length > 0)
    throw new Error(`the templates must be equal, got differences at:\n${found.join('\n')}`);
  return Object.keys(template.Resources).length;
}

function withoutAnalytics(template) {
  for (const [section, name] of Object.entries(ANALYTICS)) {
    if (template[section]?.[name] === undefined)
      throw new Error(`the template must have ${name}, got none: check that analytics are on in this test`);
    delete template[section][name];
    if (Object.keys(template[section]).length === 0) delete template[section];
  }
  return template;
}

function differences(value, other, place) {
  if (isDeepStrictEqual(value, other)) return [];
  const isInner = [value, other].every((each) => typeof each === 'object' && each !== null);
  if (!isInner) return [`${place}: ${JSON.stringify(value)} and ${JSON.stringify(other)}`];
  const keys = new Set([...Object.keys(value), ...Object.keys(other)]);
  return [...keys].flatMap((key) => differences(value[key], other[key], `${place}/${key}`));
}

/**
 * Checks that two assemblies have assets of the same names with the same bytes.
 *
 * @param {string} folder one assembly
 * @param {string} other the other one
 * @returns {{ files: number, bytes: number }} what was compared
 * @throws Error with the names of the assets that differ
 */
export function compareAssets(folder, other) {
  const [assets, otherAssets] = [folder, other].map(assetsOf);
  const names = [...new Set([...assets.keys(), ...otherAssets.keys()])];
  const different = names.filter((name) => {
    const [bytes, otherBytes] = [assets.get(name), otherAssets.get(name)];
    return bytes === undefined || otherBytes === undefined || !bytes.equals(otherBytes);
  });
  if (names.length === 0 || different.length > 0)
    throw new Error(
      `the assets must be equal, got ${names.length} files, of which differ: ${different.join(', ')}`,
    );
  return { files: names.length, bytes: [...assets.values()].reduce((sum, { length }) => sum + length, 0) };
}

/** The files of all assets, by their path in the assembly. */
function assetsOf(assembly) {
  const names = fs
    .readdirSync(assembly, { recursive: true })
    .filter((name) => /^(asset\.|plan-)/.test(name))
    .filter((name) => fs.statSync(path.join(assembly, name)).isFile());
  return new Map(names.map((name) => [name, fs.readFileSync(path.join(assembly, name))]));
}
