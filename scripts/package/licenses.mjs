// Collects the licenses of the packages that ship in one text.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { filesIn, ROOT } from './project.mjs';

/** Licenses that allow redistribution under Apache-2.0. */
const ACCEPTED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT'];

/**
 * Has the licenses of packages that ship without a license file, by name and version. ONNX Runtime's are the LICENSE and the
 * ThirdPartyNotices.txt of its package on PyPI, which has the same libraries.
 */
const NOTICES = path.join(ROOT, 'scripts/package/notices');

const LICENSE_FILE = /^(licen[sc]e|notice|third-party-licenses)/i;

const RULE = `\n${'-'.repeat(78)}\n`;

/**
 * Returns the text. Packages with the same license text share one section.
 *
 * @param {import('./third-party.mjs').ThirdPartyPackage[]} packages
 */
export function licenseText(packages) {
  const sections = new Map();
  for (const thirdParty of packages) {
    const text = textOf(thirdParty);
    // A package may lie in several folders, one inside each package that uses it.
    const names = sections.get(text) ?? new Set();
    sections.set(text, names.add(`${thirdParty.id} (${thirdParty.license})`));
  }
  return [
    'This package contains the following packages of others. Their licenses follow.',
    ...[...sections].map(([text, names]) => `${[...names].join('\n')}\n\n${text}`),
  ].join(`\n${RULE}\n`);
}

/** Some packages have a folder with the licenses of what they contain. */
function licenseFiles(folder) {
  return fs
    .readdirSync(folder)
    .filter((name) => LICENSE_FILE.test(name))
    .map((name) => path.join(folder, name))
    .flatMap((file) =>
      fs.statSync(file).isDirectory() ? filesIn(file).map((name) => path.join(file, name)) : [file],
    )
    .sort();
}

function textOf({ folder, id, license }) {
  if (!ACCEPTED.includes(license))
    throw new Error(
      `${id} must have one of the licenses ${ACCEPTED.join(', ')}, got ${license}: do not ship it`,
    );
  const files = licenseFiles(folder);
  if (files.length > 0)
    return files.map((file) => fs.readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim()).join(`\n\n`);
  const notice = path.join(NOTICES, `${id}.txt`);
  if (fs.existsSync(notice)) return fs.readFileSync(notice, 'utf8').trim();
  // The text of this license names no holder, so it is the same for each package.
  if (license === 'Apache-2.0') return fs.readFileSync(path.join(ROOT, 'LICENSE'), 'utf8').trim();
  throw new Error(`${id} must contain its license, got no license file: add ${path.relative(ROOT, notice)}`);
}
