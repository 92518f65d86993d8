/**
 * Reads the elements of a JSON array one after the other: https://www.rfc-editor.org/rfc/rfc8259. Step Functions also reads the pairs of an
 * object, which have no place in a batch: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
 */
import { type Json, parseJson } from '../../json';
import { MAX_STATE_BYTES } from '../limits';

/** @throws Error naming the element that is not JSON or too long, or when the text is no array or does not end */
export async function* arrayElements(chunks: AsyncIterable<string>): AsyncGenerator<Json> {
  let place: 'before' | 'inside' | 'after' = 'before';
  let [element, index, depth, isString, isEscaped] = ['', 0, 0, false, false];
  for await (const chunk of chunks) {
    for (const char of chunk) {
      if (place !== 'inside') {
        if (place === 'before' && char === '[') place = 'inside';
        else if (!' \t\r\n'.includes(char)) throw notAnArray(place, char);
      } else if (depth === 0 && !isString && (char === ',' || char === ']')) {
        const isEmptyArray = char === ']' && index === 0 && element.trim() === '';
        if (!isEmptyArray) yield parsed(element, index++);
        element = '';
        if (char === ']') place = 'after';
      } else {
        element += char;
        if (element.length > MAX_STATE_BYTES)
          throw new Error(`element ${index} must have at most ${MAX_STATE_BYTES} characters, got more`);
        if (isEscaped) isEscaped = false;
        else if (isString && char === '\\') isEscaped = true;
        else if (char === '"') isString = !isString;
        else if (!isString && '[{'.includes(char)) depth++;
        else if (!isString && ']}'.includes(char) && --depth < 0) throw notJson(index);
      }
    }
  }
  if (place !== 'after')
    throw new Error(`the array must end with ], got an end in element ${index}: upload the whole file`);
}

function parsed(element: string, index: number): Json {
  const value = parseJson(element);
  if (value === undefined) throw notJson(index);
  return value;
}

function notJson(index: number): Error {
  return new Error(`element ${index} is not JSON`);
}

function notAnArray(place: 'before' | 'after', char: string): Error {
  const got = place === 'before' ? `text that begins with '${char}'` : `'${char}' behind the array`;
  return new Error(`the file must hold one JSON array, got ${got}: put the items between [ and ]`);
}
