/** Reads comma-separated values: https://www.rfc-editor.org/rfc/rfc4180 */
import { MAX_STATE_BYTES } from '../limits';

/**
 * Yields the fields of each row with the number of its first line. Skips empty lines, and keeps a byte order mark: whether Step Functions removes it is not known.
 * @throws Error naming the line, when a quote or a row does not end
 */
export async function* csvRows(
  chunks: AsyncIterable<string>,
): AsyncGenerator<{ readonly line: number; readonly fields: readonly string[] }> {
  let place: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  let [fields, field, line, first, size]: [string[], string, number, number, number] = [[], '', 1, 1, 0];
  const end = (): void => {
    fields.push(place === 'plain' ? field.replace(/\r$/, '') : field);
    [field, place] = ['', 'start'];
  };
  for await (const chunk of chunks) {
    for (const char of chunk) {
      if (++size > MAX_STATE_BYTES)
        throw new Error(`the row at line ${first} must have at most ${MAX_STATE_BYTES} characters, got more`);
      if (char === '\n') line++;
      if (place === 'quoted') {
        if (char === '"') place = 'closed';
        else field += char;
      } else if (char === '"' && (place === 'start' || field === '\ufeff')) place = 'quoted';
      else if (char === '"' && place === 'closed') [field, place] = [`${field}"`, 'quoted'];
      else if (char === ',') end();
      else if (char === '\n') {
        const isEmpty = fields.length === 0 && place !== 'closed' && /^\r?$/.test(field);
        end();
        if (!isEmpty) yield { line: first, fields };
        [fields, first, size] = [[], line, 0];
      } else if (char === '"' || (place === 'closed' && char !== '\r')) {
        throw new Error(`line ${line} has text beside a quoted field: double the quotes inside a field`);
      } else if (place !== 'closed') [field, place] = [field + char, 'plain'];
    }
  }
  if (place === 'quoted') throw new Error(`the quoted field in the row at line ${first} does not end`);
  if (place === 'start' && fields.length === 0) return;
  end();
  yield { line: first, fields };
}
