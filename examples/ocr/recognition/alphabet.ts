/** The characters that the recognition model knows. */
import * as fs from 'node:fs';

/** The character of each output class: none for class 0, then the keys in the file, one a line, then a space. */
export function readAlphabet(file: string): string[] {
  const keys = fs.readFileSync(file, 'utf8').split('\n');
  return ['', ...keys.map((key) => key.replace('\r', '')).filter((key) => key !== ''), ' '];
}
