// Draws docs/terminal.svg, a recording of a terminal: a model of the demo is inspected, planned, deployed into the local cloud and called
// with a line of the demo's photo. The outputs are those of this run; `…` stands for lines that are left out.
// Run it in a clone: `npm run build && node docs/draw-terminal.mjs`
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';

const require = createRequire(import.meta.url);
const ROOT = path.resolve(import.meta.dirname, '..');
const COMMAND = path.join(ROOT, 'dist/bin/sliced-inference.js');

const [COLUMNS, ROWS] = [80, 24];
/** Seconds of each screen, and of what is before and during each command. */
const SCREENS = [6, 6, 9];
const [PAUSE, TYPING] = [0.3, 0.9];
/** Pixels of a character and a line, around the text, and above it. */
const [CELL, LINE, PADDING, BAR] = [8.4, 18, 16, 36];
const [WIDTH, HEIGHT] = [COLUMNS * CELL, ROWS * LINE];

/** Writes what the commands read: the model, the stack and a line of text. */
async function prepare(folder) {
  const { App, Stack } = require('aws-cdk-lib');
  const { SlicedInferencePipeline, Slicing } = require(ROOT);
  const { encodeTensors, tensorFrom } = require('../dist/client');
  const ofDemo = (file) => require(`../dist/examples/ocr/${file}`);
  const modelPath = path.join(folder, 'model.onnx');
  fs.copyFileSync(ofDemo('models').RECOGNITION_MODEL, modelPath);
  const app = new App({ outdir: path.join(folder, 'cdk.out') });
  new SlicedInferencePipeline(new Stack(app, 'Ocr'), 'Reader', { modelPath, slicing: Slicing.count(4) });
  app.synth();
  const [png] = await ofDemo('line-pictures').linePictures(path.join(ROOT, 'examples/ocr/receipt.jpg'));
  const { shape, data } = ofDemo('recognition/lines').lineInput(ofDemo('picture/decode').decodePicture(png));
  const inputs = encodeTensors(new Map([['x', tensorFrom('float32', shape, data)]]));
  fs.writeFileSync(path.join(folder, 'line.safetensors'), inputs);
}

/** By screen: commands with what they print, and how many of its first and last rows are kept if there are too many. */
async function record(folder) {
  const run = (args, env = {}) => {
    const options = { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] };
    const printed = execFileSync(process.execPath, [COMMAND, ...args.split(' ')], options).toString();
    return { shown: `npx sliced-inference ${args}`, lines: printed.trimEnd().split('\n') };
  };
  const local = 'local cdk.out --write-env cloud.env';
  const cloud = spawn(process.execPath, [COMMAND, ...local.split(' ')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [ready] = await once(cloud.stdout, 'data');
    const variables = fs.readFileSync(path.join(folder, 'cloud.env'), 'utf8');
    const env = Object.fromEntries(
      [...variables.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
    );
    return [
      [run('inspect model.onnx')],
      [run('plan model.onnx --slices 4')],
      [
        { shown: `npx sliced-inference ${local} &`, lines: String(ready).trimEnd().split('\n') },
        { shown: '. ./cloud.env', lines: [] },
        // Without the bars of warm runs.
        { ...run('invoke --inputs line.safetensors --repeat 21', env), kept: [13, 5] },
      ],
    ];
  } finally {
    cloud.kill();
    await once(cloud, 'exit');
  }
}

/** Wraps lines as a terminal does, and leaves out lines in the middle, or at the end of what does not fit. */
function rowsOf({ lines, kept: [first, last] = [ROWS, 0] }, most) {
  const rows = lines.flatMap((line) => line.match(new RegExp(`.{1,${COLUMNS}}`, 'gu')) ?? ['']);
  if (rows.length <= most) return rows;
  return [...rows.slice(0, Math.min(first, most - 1)), '…', ...rows.slice(rows.length - last)];
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A row of text whose characters have the same width in every font. */
function textAt(row, text, kind, column = 0) {
  const blanks = text.length - text.trimStart().length;
  const characters = [...text.trim()].length;
  if (characters === 0) return '';
  const place = `x="${((column + blanks) * CELL).toFixed(1)}" y="${(row + 0.75) * LINE}"`;
  const width = `textLength="${(characters * CELL).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
  return `<text class="${kind}" ${place} ${width}>${escaped(text.trim())}</text>`;
}

/** Draws the screens one after the other. Without animations, the last one is shown. */
function draw(screens) {
  const sum = (times) => times.reduce((all, time) => all + time, 0);
  const total = sum(SCREENS);
  const at = (seconds) => `${((100 * seconds) / total).toFixed(2)}%`;
  const rules = [];
  const animated = (frames) => {
    const name = `a${rules.length}`;
    rules.push(`.${name}{animation:${name} ${total}s step-end infinite}@keyframes ${name}{${frames}}`);
    return name;
  };
  const screenAt = (entries, screen) => {
    const end = sum(SCREENS.slice(0, screen + 1));
    const isLast = end === total;
    const shownFrom = (time) => {
      const frames = `0%{opacity:0}${at(time)}{opacity:1}${isLast ? '' : `${at(end)}{opacity:0}`}`;
      return `${animated(frames)}${isLast ? '' : ' o'}`;
    };
    let [row, time] = [0, end - SCREENS[screen]];
    return entries.map(({ shown, ...output }) => {
      const [begin, typed] = [time + PAUSE, time + PAUSE + TYPING];
      const steps = `steps(${shown.length})`;
      const end = `translateX(${(shown.length * CELL).toFixed(1)}px)`;
      const slide = `0%,${at(begin)}{transform:none;animation-timing-function:${steps}}${at(typed)},100%{transform:${end}}`;
      const cover = `<rect class="w ${animated(slide)}" x="${2 * CELL}" y="${row * LINE}" width="${WIDTH}" height="${LINE}"/>`;
      const command = `<g class="${shownFrom(time)}">${textAt(row, '$', 'p')}${textAt(row, shown, 'c', 2)}${cover}</g>`;
      const rows = rowsOf(output, ROWS - row - 1);
      const texts = rows.map((text, index) => textAt(row + 1 + index, text, 'r'));
      [row, time] = [row + 1 + rows.length, typed + PAUSE];
      return `${command}\n<g class="${shownFrom(time)}">${texts.join('\n')}</g>`;
    });
  };
  const groups = screens.flatMap(screenAt).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH + 2 * PADDING} ${HEIGHT + BAR + PADDING}">
<title>Terminal: inspect a model, plan its slices, deploy them locally and call them</title>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
.p{fill:#3fb950}.c{fill:#f0f6fc;font-weight:bold}.r{fill:#c9d1d9}.w{fill:#0d1117;opacity:0}.o{opacity:0}
@media (prefers-reduced-motion:no-preference){.w{opacity:1}
${rules.join('\n')}}
</style>
<rect x="0.5" y="0.5" width="${WIDTH + 2 * PADDING - 1}" height="${HEIGHT + BAR + PADDING - 1}" rx="8" fill="#0d1117" stroke="#484f58"/>
<g fill="#484f58">${[20, 38, 56].map((x) => `<circle cx="${x}" cy="18" r="6"/>`).join('')}</g>
<svg x="${PADDING}" y="${BAR}" width="${WIDTH}" height="${HEIGHT}">
${groups}
</svg>
</svg>
`;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'recording-'));
try {
  await prepare(folder);
  fs.writeFileSync(path.join(ROOT, 'docs/terminal.svg'), draw(await record(folder)));
} finally {
  fs.rmSync(folder, { recursive: true });
}
