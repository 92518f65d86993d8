import * as fs from 'node:fs';
import * as path from 'node:path';

/** Linux follows as many links: https://man7.org/linux/man-pages/man7/path_resolution.7.html */
const MOST_LINKS = 40;

/** The absolute path of a file behind symbolic links, also of one that does not exist yet. */
export function linkTarget(file: string): string {
  let target = path.resolve(file);
  for (let links = 0; links < MOST_LINKS && isLink(target); links++) {
    target = path.resolve(fs.realpathSync(path.dirname(target)), fs.readlinkSync(target));
  }
  return target;
}

/** What cannot be read is no link: the caller that opens the file says why. */
function isLink(file: string): boolean {
  try {
    return fs.lstatSync(file).isSymbolicLink();
  } catch {
    return false;
  }
}
