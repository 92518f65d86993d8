/**
 * Runs the compiled form of a test for `integ-runner`, which would need ts-node to run TypeScript. The newest integ-runner,
 * 2.197.10, reads assemblies up to schema 53, and aws-cdk-lib 2.276 writes schema 55. Nothing in these assemblies is newer than
 * schema 53, so this program writes that number. `npm run integ` uses the CDK command line instead, which reads schema 55.
 */
const fs = require('node:fs');
const path = require('node:path');

const READABLE = '53.0.0';

// CDK's validation refuses the stack of an integration test without assertions, which has no resources.
process.env.CDK_VALIDATION = 'false';

const [, , file] = process.argv;
const root = path.join(__dirname, '../..');
require(path.join(root, 'dist', path.relative(root, path.resolve(file)).replace(/\.ts$/, '.js')));

/** Where each construct was made: the paths of this machine. */
function withoutTraces(text) {
  const byConstruct = Object.entries(JSON.parse(text)).map(([construct, entries]) => [
    construct,
    entries.flatMap(({ trace, ...entry }) => (entry.type === 'aws:cdk:creationStack' ? [] : [entry])),
  ]);
  return JSON.stringify(Object.fromEntries(byConstruct), undefined, 1);
}

const { CDK_OUTDIR } = process.env;
for (const name of fs.readdirSync(CDK_OUTDIR)) {
  if (name !== 'cdk.out' && !/^(manifest|integ|.*\.assets|.*\.metadata)\.json$/.test(name)) continue;
  const written = path.join(CDK_OUTDIR, name);
  const text = fs.readFileSync(written, 'utf8').replace(/("version":\s*)"55\.0\.0"/, `$1"${READABLE}"`);
  fs.writeFileSync(written, name.endsWith('.metadata.json') ? withoutTraces(text) : text);
}
