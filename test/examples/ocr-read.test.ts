/** Converts a picture into the input of the demo's model, and the model's output into text. */
import * as path from 'node:path';
import sharp from 'sharp';
import { readLine } from '../../examples/ocr/read-image';
import { readText } from '../../examples/ocr/read-text';
import { alphabet } from '../../examples/ocr/recognition-model';
import type { NumericTensor } from '../../lambda/tensors/tensor';
import { temporaryFolder } from '../support/model-builder';

const HEIGHT = 48;

async function picture(width: number, height: number, background: string): Promise<string> {
  const file = path.join(temporaryFolder(), 'picture.png');
  await sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toFile(file);
  return file;
}

function floatsOf({ bytes }: NumericTensor): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

describe('readLine', () => {
  test('returns blue, green and red planes of values from -1 to 1', async () => {
    const line = await readLine(await picture(400, HEIGHT, '#ff0080'));
    expect(line.dtype).toBe('float32');
    expect(line.shape).toEqual([1, 3, HEIGHT, 400]);
    const plane = HEIGHT * 400;
    const [blue, green, red] = [0, 1, 2].map((channel) => floatsOf(line)[channel * plane]);
    expect([red, green, blue]).toEqual([1, -1, Math.fround((128 / 255 - 0.5) / 0.5)]);
  });

  test("scales pictures to the model's height", async () => {
    const { shape } = await readLine(await picture(1000, 2 * HEIGHT, 'white'));
    expect(shape).toEqual([1, 3, HEIGHT, 500]);
  });

  test('pads narrow pictures with zeros on the right', async () => {
    const line = await readLine(await picture(10, HEIGHT, 'white'));
    expect(line.shape).toEqual([1, 3, HEIGHT, 320]);
    const row = floatsOf(line).subarray(0, 320);
    expect([...row.subarray(0, 10)]).toEqual(Array.from({ length: 10 }, () => 1));
    expect(new Set(row.subarray(10))).toEqual(new Set([0]));
  });

  test('refuses a picture that is too wide for one line', async () => {
    const file = await picture(48_000, HEIGHT, 'white');
    await expect(readLine(file)).rejects.toThrow(
      `picture '${file}' must show one line of text, got one 1000 times as wide as high: cut it into shorter lines`,
    );
  });

  test('refuses a file that is not a picture', async () => {
    await expect(readLine(__filename)).rejects.toThrow(
      `picture '${__filename}' must be a readable PNG, JPEG or WebP, got: `,
    );
  });
});

describe('readText', () => {
  const letters = ['', 'a', 'b', ' '];

  /** A tensor in which each step has one class of this probability, given by its index in `letters`. */
  function steps(classes: readonly number[], probability = 1): NumericTensor {
    const values = new Float32Array(classes.length * letters.length);
    classes.forEach((winner, step) => (values[step * letters.length + winner] = probability));
    return {
      dtype: 'float32',
      shape: [1, classes.length, letters.length],
      bytes: new Uint8Array(values.buffer),
    };
  }

  test.each([
    [[1, 1, 2, 2], 'ab'],
    [[1, 0, 1], 'aa'],
    [[0, 0], ''],
    [[3, 1, 3, 2, 3], 'a b'],
  ])('merges repetitions and drops blanks: %j', (classes, text) => {
    expect(readText(steps(classes), letters).text).toBe(text);
  });

  test('returns the mean probability of the characters', () => {
    expect(readText(steps([1, 2], 0.5), letters).confidence).toBe(0.5);
    expect(readText(steps([0]), letters).confidence).toBe(0);
  });

  test('refuses the alphabet of another model', () => {
    expect(() => readText(steps([1]), ['', 'a'])).toThrow(
      'the model must know 2 characters, got 4: use its own alphabet',
    );
  });
});

test('the alphabet has one entry per class of the model: a blank, the keys and a space', () => {
  const characters = alphabet();
  expect(characters).toHaveLength(6625);
  expect([characters[0], characters.at(-1)]).toEqual(['', ' ']);
});
