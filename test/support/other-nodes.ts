/** The releases of Node.js on which functions can be tested, besides this one. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../../lib/host/packages';

/** Major versions of all runtimes that Lambda has or will have. */
const MAJORS = ['20', '22', '24', '26'];

/** The programs by major version. `node scripts/test-versions.mjs` installs them with npm. */
export function otherNodes(): Readonly<Record<string, string>> {
  const packages = path.join(packageRoot(), 'test/other-versions/node_modules');
  const folderOf = (major: string) => `node-${major}-${process.platform}-${process.arch}`;
  const programs = MAJORS.map((major) => [major, path.join(packages, folderOf(major), 'bin/node')] as const);
  return Object.fromEntries(programs.filter(([, program]) => fs.existsSync(program)));
}
