/**
 * Runs commands one after the other in this process, with the code of the command line, and asks ONNX Runtime in one more
 * process. A command then starts no process of its own, which takes longer than most commands.
 */
const fs = require('node:fs');
const path = require('node:path');

const DIST = path.join(__dirname, '../../dist');

const { main } = require(path.join(DIST, 'bundle/program.js'));

const inference = path.join(DIST, 'test/support/inference/persistent-inference.js');
// `npm test` builds it. Without it, the library starts a process for each question.
if (fs.existsSync(inference)) {
  const { PersistentInference } = require(inference);
  new PersistentInference().install();
}

/** Changes the variables of the process, which the C++ parts of Node.js read. */
function setEnvironment(variables) {
  for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
  Object.assign(process.env, variables);
}

/** Collects what is written to the stream, until `restore`. */
function collect(stream) {
  const { write } = stream;
  const parts = [];
  stream.write = (chunk, ...rest) => {
    parts.push(Buffer.from(chunk));
    rest.find((argument) => typeof argument === 'function')?.();
    return true;
  };
  return { text: () => Buffer.concat(parts).toString('utf8'), restore: () => (stream.write = write) };
}

async function run({ args, cwd, env }) {
  process.argv = [process.argv[0], path.join(DIST, 'bundle/program.js'), ...args];
  process.chdir(cwd);
  setEnvironment(env);
  process.exitCode = undefined;
  const [stdout, stderr] = [collect(process.stdout), collect(process.stderr)];
  try {
    await main();
    return { code: process.exitCode ?? 0, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    for (const stream of [stdout, stderr]) stream.restore();
    process.exitCode = undefined;
  }
}

process.on('message', (command) => {
  void run(command).then((result) => process.send(result));
});
process.on('disconnect', () => process.exit());
