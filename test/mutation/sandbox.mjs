/** A copy of the repository in which one file is changed at a time, and the tests that can notice it. */
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { transform } from 'esbuild';

/** The nearest tests notice most changes, so they run first. */
const BATCHES = [4, 12, 24];

/** Characters of what a program says. The first failure is at their start. */
const MAX_OUTPUT = 1_000_000;

function git(root, ...args) {
  const { status, stderr } = spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')} failed: ${stderr.trim()}`);
}

export class Sandbox {
  constructor(root, folder) {
    this.folder = folder;
    git(root, 'worktree', 'add', '--force', '--detach', folder, 'HEAD');
    this.remove = () => git(root, 'worktree', 'remove', '--force', folder);
    spawnSync('cp', ['-al', path.join(root, 'node_modules'), path.join(folder, 'node_modules')]);
    const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: folder, stdio: 'ignore' });
    if (status !== 0) throw new Error('the repository must build: run `npm run build`');
  }

  /**
   * @param {string[]} tests the nearest first
   * @param {number} seconds for all of them
   * @returns what noticed the change; `undefined` if nothing did
   */
  async noticed(file, original, changed, tests, seconds) {
    const endsAt = Date.now() + seconds * 1000;
    await this.write(file, changed);
    try {
      const built = await this.run(['scripts/build.mjs', '--bundles'], endsAt);
      if (built.code !== 0) return { by: 'the build' };
      let first = 0;
      for (const count of BATCHES) {
        const batch = tests.slice(first, first + count);
        first += count;
        if (batch.length === 0) break;
        const { code, failed } = await this.jest(batch, endsAt);
        if (code === undefined) return { by: undefined, note: `stopped after ${seconds} s` };
        if (code !== 0) return { by: failed };
      }
      return { by: undefined };
    } finally {
      await this.write(file, original);
    }
  }

  /** Also the compiled file, which some tests load. */
  async write(file, text) {
    fs.writeFileSync(path.join(this.folder, file), text);
    if (!file.endsWith('.ts')) return;
    const { code } = await transform(text, {
      loader: 'ts',
      format: 'cjs',
      target: 'es2022',
      platform: 'node',
    });
    fs.writeFileSync(path.join(this.folder, 'dist', file.replace(/\.ts$/, '.js')), code);
  }

  async jest(tests, endsAt) {
    const args = ['node_modules/jest/bin/jest.js', '--ci', '--bail', '--maxWorkers=1', '--runTestsByPath'];
    const { code, said } = await this.run([...args, ...tests], endsAt);
    const [, file = tests[0]] = /^FAIL (\S+)/m.exec(said) ?? [];
    const [, title = 'does not load'] = /^ +● (.+)/m.exec(said) ?? [];
    return { code, failed: `${file}: ${title}` };
  }

  /** `code` is `undefined` if the time is over. A program that has ended may have left processes, which are not waited for. */
  run(args, endsAt) {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, args, {
        cwd: this.folder,
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
      });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text) => {
        if (said.length < MAX_OUTPUT) said += text;
      });
      let isLate = false;
      const timer = setTimeout(
        () => {
          isLate = true;
          process.kill(-child.pid, 'SIGKILL');
        },
        Math.max(0, endsAt - Date.now()),
      );
      child.once('exit', (code) => {
        clearTimeout(timer);
        resolve({ code: isLate ? undefined : (code ?? 1), said });
      });
    });
  }
}
