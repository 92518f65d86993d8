// Makes the page of `sliced-inference plan --report` as one file, with its script, its styles and the licenses of the software in
// it. The command puts a report into the page. Only the script and the styles that are in the page may run: the page's policy
// has their digests, and allows nothing else.
import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import { licenseText, packagesInside } from './package/third-party.mjs';

const FOLDER = 'bin/plan/page';

/** The place of the report; `bin/plan/write-page.ts` fills it. */
const REPORT = '%REPORT%';

export const PAGE_BUILD = {
  entryPoints: { page: `${FOLDER}/main.ts`, style: `${FOLDER}/page.css` },
  tsconfig: `${FOLDER}/tsconfig.json`,
  bundle: true,
  platform: 'browser',
  target: ['chrome111', 'firefox115', 'safari16.4'],
  format: 'iife',
  outdir: 'dist/page',
  charset: 'utf8',
  legalComments: 'none',
  minify: true,
  metafile: true,
  write: false,
  logLevel: 'warning',
};

export function planPage({ outputFiles, metafile }) {
  const text = (suffix) => outputFiles.find(({ path }) => path.endsWith(suffix)).text.trim();
  const sources = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0),
  );
  const script = text('page.js');
  const style = text('style.css');
  const policy = [
    "default-src 'none'",
    `script-src ${digest(script)}`,
    `style-src ${digest(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const parts = {
    POLICY: policy,
    STYLE: style,
    SCRIPT: script,
    LICENSES: escaped(licenseText(packagesInside(sources))),
  };
  const shell = fs.readFileSync(`${FOLDER}/page.html`, 'utf8');
  const page = shell.replaceAll(/\s*%(POLICY|STYLE|SCRIPT|LICENSES)%\s*/g, (_, name) => parts[name]);
  if (page.split(REPORT).length !== 2)
    throw new Error(
      `the page must have one place ${REPORT}, got another number: look at ${FOLDER}/page.html`,
    );
  return { page, sources };
}

function digest(text) {
  return `'sha256-${hash('sha256', text, 'base64')}'`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
