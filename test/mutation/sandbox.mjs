/** A copy of the repository in which one file is changed at a time, and the tests that can notice it. */
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { transform } from 'esbuild';

/** The nearest tests notice most changes, so they run first. Those after the last batch do not run, which a survivor's note says. */
const BATCHES = [4, 12, 24];

const BUILD = ['scripts/build.mjs', '--bundles'];

/** Longest run of one test file of the unchanged code. */
const UNCHANGED_MS = 600_000;

/** Characters of what a program says. The first failure is at their start. */
const MAX_OUTPUT = 1_000_000;

function run(program, args, options = {}) {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stderr.trim()}`);
}

function git(root, ...args) {
  run('git', ['-C', root, ...args]);
}

export class Sandbox {
  /** By test file: whether it passes without a change. */
  passes = new Map();

  constructor(root, folder) {
    this.folder = folder;
    this.remove = () => git(root, 'worktree', 'remove', '--force', folder);
    git(root, 'worktree', 'add', '--force', '--detach', folder, 'HEAD');
    try {
      run('cp', ['-al', path.join(root, 'node_modules'), path.join(folder, 'node_modules')]);
      run(process.execPath, ['scripts/build.mjs'], { cwd: folder });
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /**
   * @param {string[]} tests the nearest first
   * @param {number} seconds for all of them
   * @returns what noticed the change; `undefined` if nothing did
   */
  async noticed(file, original, changed, tests, seconds) {
    const endsAt = Date.now() + seconds * 1000;
    const late = { by: undefined, note: `stopped after ${seconds} s` };
    await this.write(file, changed);
    let failing;
    try {
      const built = await this.run(BUILD, endsAt);
      if (built.code === undefined) return late;
      if (built.code !== 0) return { by: 'the build' };
      let first = 0;
      for (const count of BATCHES) {
        const batch = tests.slice(first, first + count);
        first += count;
        if (batch.length === 0) break;
        const { code, test, title } = await this.jest(batch, endsAt);
        if (code === undefined) return late;
        if (code === 0) continue;
        failing = { test, title };
        break;
      }
      const left = tests.length - first;
      if (failing === undefined)
        return { by: undefined, note: left > 0 ? `${left} tests did not run` : undefined };
    } finally {
      await this.write(file, original);
    }
    return (await this.passesUnchanged(failing.test))
      ? { by: `${failing.test}: ${failing.title}` }
      : { by: undefined, note: `${failing.test} also fails without the change` };
  }

  async passesUnchanged(test) {
    if (!this.passes.has(test)) {
      await this.run(BUILD, Infinity);
      const { code } = await this.jest([test], Date.now() + UNCHANGED_MS);
      this.passes.set(test, code === 0);
    }
    return this.passes.get(test);
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
    return { code, test: file, title };
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
        Math.min(Math.max(0, endsAt - Date.now()), 2 ** 31 - 1),
      );
      child.once('exit', (code) => {
        clearTimeout(timer);
        resolve({ code: isLate ? undefined : (code ?? 1), said });
      });
    });
  }
}
