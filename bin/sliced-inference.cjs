#!/usr/bin/env node
// The command's entry. It exists before the build, because npm links it when it installs or runs the package.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const built = join(__dirname, '../dist/bundle/sliced-inference.js');
if (existsSync(built)) {
  require(built);
} else {
  process.stderr.write(
    'error: sliced-inference must be built, got no dist folder: run `npm run build` in its folder\n',
  );
  process.exitCode = 2;
}
