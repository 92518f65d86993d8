// What the Go package needs: Go, and a proxy or the repositories of the modules. Its files are the same in each build.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** A module that jsii's packages need anyway. Go downloads a few hundred bytes about it. */
const SMALL_MODULE = 'github.com/aws/jsii-runtime-go@v1.140.0';

/** Returns why a Go package can neither be built nor used here, or undefined. */
export function goProblem() {
  if (run(['version']) !== 0) return 'Go needs `go`, which does not run';
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'go-modules-'));
  try {
    // Not from the cache, to ask the server.
    const variables = { GOMODCACHE: path.join(folder, 'modules'), GOFLAGS: '-modcacherw' };
    if (run(['list', '-m', SMALL_MODULE], folder, variables) !== 0)
      return "Go needs its modules' server, which does not answer";
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return undefined;
}

function run(args, cwd, variables) {
  const env = { ...process.env, ...variables };
  return spawnSync('go', args, { cwd, env, stdio: 'ignore', timeout: 60_000 }).status;
}
