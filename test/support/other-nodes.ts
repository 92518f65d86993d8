/** The releases of Node.js on which functions can be tested: this one, and those of `test/other-versions` if installed. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../../lib/host/packages';

/** Major versions of all runtimes that Lambda has or will have. */
const MAJORS = ['20', '22', '24', '26'];

export interface OtherNode {
  readonly major: string;
  readonly path: string;
}

/** `node scripts/test-versions.mjs` installs them with npm. */
export function otherNodes(): OtherNode[] {
  const packages = path.join(packageRoot(), 'test/other-versions/node_modules');
  return MAJORS.map((major) => ({
    major,
    path: path.join(packages, `node-${major}-${process.platform}-${process.arch}`, 'bin/node'),
  })).filter((node) => fs.existsSync(node.path));
}
