/** Which test files run which code of the product, as one run of `npm test` has shown. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { SourceMap } from 'node:module';
import * as path from 'node:path';

const DATA_URL = /\/\/# sourceMappingURL=data:application\/json;[^,]*base64,(.+)\s*$/;

export class Coverage {
  /** By file: its compiled text, and by test the parts of the text that did not run. */
  files = new Map();

  /** Reads what an earlier run has left in the folder, and else runs all tests. */
  constructor(root, folder) {
    this.root = root;
    if (!fs.existsSync(folder)) record(root, folder);
    for (const name of fs.readdirSync(folder).filter((each) => each.endsWith('.json'))) {
      const test = name.replace(/\.json$/, '').replaceAll('+', '/');
      const skipped = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
      for (const [file, parts] of Object.entries(skipped)) {
        if (!this.files.has(file)) this.files.set(file, new Compiled(path.join(folder, 'sources'), file));
        this.files.get(file).skipped.set(test, parts);
      }
    }
  }

  /** @returns {string[] | undefined} the tests that run the text at this offset; `undefined` if the file has changed since the run */
  testsOf(file, offset) {
    const text = fs.readFileSync(path.join(this.root, file), 'utf8');
    const compiled = this.files.get(file);
    // No test has imported the file.
    if (compiled === undefined) return [];
    if (compiled.original !== text) return undefined;
    const at = compiled.offsetOf(text, offset);
    return [...compiled.skipped].filter(([, parts]) => ran(parts, at)).map(([test]) => test);
  }
}

function record(root, folder) {
  const unfinished = `${folder}.unfinished`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  fs.mkdirSync(path.join(unfinished, 'sources'), { recursive: true });
  console.log(`running all tests once, to see which code each of them runs`);
  const jest = path.join(root, 'node_modules/jest/bin/jest.js');
  const options = [
    '--filter=./test/support/jest/filter.cjs',
    '--env=./test/mutation/coverage-environment.cjs',
  ];
  const environment = { ...process.env, MUTATION_COVERAGE: unfinished };
  const { status } = spawnSync(process.execPath, [jest, ...options, '--silent', '--reporters=summary'], {
    cwd: root,
    stdio: 'inherit',
    env: environment,
  });
  if (status !== 0) throw new Error('all tests must pass before a change can be noticed: mend those above');
  fs.renameSync(unfinished, folder);
}

function ran(skipped, at) {
  const next = skipped.findIndex((end) => end > at);
  // An odd number of ends before the offset is the start of a part that did not run.
  return next < 0 || next % 2 === 0;
}

/** The text that Jest has run. */
class Compiled {
  skipped = new Map();

  constructor(folder, file) {
    this.text = fs.readFileSync(path.join(folder, file.replaceAll('/', '+')), 'utf8');
    const [, encoded = ''] = DATA_URL.exec(this.text) ?? [];
    this.map = JSON.parse(Buffer.from(encoded, 'base64').toString());
    [this.original] = this.map.sourcesContent;
  }

  /** Where the original text at this offset is in the compiled one. */
  offsetOf(original, offset) {
    const before = original.slice(0, offset).split('\n');
    const places = this.placesOf(before.length - 1).sort((a, b) => a.column - b.column || a.at - b.at);
    return (places.find(({ column }) => column >= before.at(-1).length) ?? places.at(-1))?.at ?? 0;
  }

  /** The places of a line of the original, by its columns. */
  placesOf(line) {
    const map = new SourceMap(this.map);
    const places = [];
    let start = 0;
    for (const [number, text] of this.text.split('\n').entries()) {
      if (text.startsWith('//# sourceMappingURL=')) break;
      let last = -1;
      for (let column = 0; column < text.length; column++) {
        const { originalLine, originalColumn } = map.findEntry(number, column);
        if (originalLine === line && originalColumn !== last)
          places.push({ column: originalColumn, at: start + column });
        last = originalLine === line ? originalColumn : -1;
      }
      start += text.length + 1;
    }
    return places;
  }
}
