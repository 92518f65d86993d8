/** Draws a recording and the probability of speech in it as an SVG picture. */
import { CHUNK, RATE } from './chunks';

const WIDTH = 760;
const HEIGHT = 300;
const LEFT = 50;
const WAVE = { top: 40, height: 90 };
const PROBABILITY = { top: 160, height: 100 };
/** Columns of the wave, one pixel each. */
const COLUMNS = WIDTH - LEFT - 10;

export function drawSpeech(samples: Float32Array, probabilities: readonly number[]): string {
  const seconds = (probabilities.length * CHUNK) / RATE;
  const x = (time: number): number => LEFT + (time / seconds) * COLUMNS;
  const curve = probabilities
    .map((probability, chunk) => `${px(x(((chunk + 0.5) * CHUNK) / RATE))},${px(probabilityY(probability))}`)
    .join(' ');
  const base = probabilityY(0);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img">`,
    '<title>A recording, and the probability of speech over time</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24">recording</text>`,
    `<path d="${wavePath(samples, seconds)}" stroke="#546e7a" fill="none"/>`,
    `<text x="${LEFT}" y="${PROBABILITY.top - 8}">probability of speech</text>`,
    ...[0, 0.5, 1].flatMap((level) => [
      `<line x1="${LEFT}" x2="${LEFT + COLUMNS}" y1="${px(probabilityY(level))}" y2="${px(probabilityY(level))}" stroke="#cfd8dc"/>`,
      `<text x="${LEFT - 8}" y="${px(probabilityY(level) + 4)}" text-anchor="end">${level}</text>`,
    ]),
    `<polyline points="${curve}" stroke="#1565c0" stroke-width="2" fill="none"/>`,
    ...Array.from(
      { length: Math.floor(seconds) + 1 },
      (_, second) => `<text x="${px(x(second))}" y="${base + 20}" text-anchor="middle">${second} s</text>`,
    ),
    '</svg>\n',
  ].join('\n');
}

function probabilityY(probability: number): number {
  return PROBABILITY.top + (1 - probability) * PROBABILITY.height;
}

/** A line from the smallest to the largest sample of each column. */
function wavePath(samples: Float32Array, seconds: number): string {
  const lower = (a: number, b: number): number => Math.min(a, b);
  const higher = (a: number, b: number): number => Math.max(a, b);
  const middle = WAVE.top + WAVE.height / 2;
  const perColumn = (seconds * RATE) / COLUMNS;
  const lines = Array.from({ length: COLUMNS }, (_, column) => {
    const part = samples.subarray(Math.round(column * perColumn), Math.round((column + 1) * perColumn));
    const [low, high] = [part.reduce(lower, 0), part.reduce(higher, 0)];
    const [bottom, top] = [low, high].map((sample) => middle - (sample * WAVE.height) / 2);
    return `M${LEFT + column} ${px(bottom)}V${px(top)}`;
  });
  return lines.join('');
}

function px(pixels: number): string {
  return pixels.toFixed(1);
}
