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

/** For `describe.each`: the name of each Node.js and its path. */
export function allNodes(): [name: string, path: string][] {
  const others = otherNodes();
  if (others.length === 0) {
    console.warn('only this Node.js is tested: npm ci --prefix test/other-versions installs the others');
  }
  return [
    [`Node.js ${process.versions.node} of this machine`, process.execPath],
    ...others.map(({ major, path: program }): [string, string] => [`Node.js ${major}`, program]),
  ];
}
