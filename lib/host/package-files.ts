/** Finds files of this package, both from `dist/` and from the TypeScript sources. */
import * as fs from 'node:fs';
import * as path from 'node:path';

/** The folder of this package's `package.json`. */
export function packageRoot(): string {
  let folder = __dirname;
  while (!fs.existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}

/**
 * The absolute path of a built file.
 *
 * @param relativePath path below `dist/`, such as `bundle/handler.js`
 * @throws Error when the package is not built
 */
export function builtFile(relativePath: string): string {
  const file = path.join(packageRoot(), 'dist', relativePath);
  if (!fs.existsSync(file)) {
    throw new Error(
      `cdk-sliced-inference must be built, got no file ${file}: run \`npm run build\` in its folder`,
    );
  }
  return file;
}

/** This package's version. */
export function packageVersion(): string {
  const manifest = JSON.parse(fs.readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
