/** The search for known vulnerabilities, with an `npm` that knows some. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from '../../support/documents';
import { temporaryFolder } from '../../support/temporary-folder';

const bad = (name: string) => ({ [name]: { name, severity: 'high', nodes: [`node_modules/${name}`] } });

test.each([
  ['passes if there is no vulnerability', {}, /^npm audit: no known vulnerability in the/, 0],
  ['fails for a package inside of a bundle', bad('commander'), /^error: commander ships .* severity high/, 1],
  ['ignores a package that only development uses', bad('prettier'), /no known vulnerability/, 0],
  ['is skipped if the registry answers no audits', undefined, /^skipped: npm must ask .* 405/, 0],
])('the audit %s', (_, vulnerabilities, message, code) => {
  const answer = vulnerabilities === undefined ? { message: '405' } : { vulnerabilities };
  const folder = temporaryFolder();
  const npm = `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`;
  fs.writeFileSync(path.join(folder, 'npm'), npm, { mode: 0o755 });
  const script = path.join(ROOT, 'scripts/package/audit.mjs');
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8', env });
  expect(`${stdout}${stderr}`).toMatch(message);
  expect(status).toBe(code);
});
