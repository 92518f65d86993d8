/** Finds files of this package, whether it runs from `dist/` or from its TypeScript sources. */
import * as fs from 'node:fs';
import * as path from 'node:path';

/** The folder of this package's `package.json`. */
export function packageRoot(): string {
  let folder = __dirname;
  while (!fs.existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}

/** Absolute path of a built file, such as `lambda/bundle/index.js`; throws when the package is not built. */
export function builtFile(relativePath: string): string {
  const file = path.join(packageRoot(), 'dist', relativePath);
  if (!fs.existsSync(file)) {
    throw new Error(`cdk-sliced-inference is not built, got no ${file}: run \`npm run build\` in its folder`);
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
