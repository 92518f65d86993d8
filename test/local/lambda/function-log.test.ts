/** What the local cloud keeps of a function's output. */
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { FunctionLog } from '../../../local/lambda/function-log';

const KEPT_BYTES = 64 * 1024;

async function logOf(...parts: string[]) {
  const heard: string[] = [];
  const log = new FunctionLog('Slice', (name, line) => heard.push(`${name}: ${line}`));
  const output = new PassThrough();
  log.follow(output);
  for (const part of parts) output.write(part);
  output.end();
  await finished(output.resume());
  return { text: log.text(), heard };
}

test('has the lines in order, however they arrive, and the last one without a line feed', async () => {
  const { text, heard } = await logOf('one\ntw', 'o\nthr', 'ee');
  expect(text).toBe('one\ntwo\nthree\n');
  expect(heard).toEqual(['Slice: one', 'Slice: two', 'Slice: three']);
});

test('has line feeds where the runtime client of Lambda writes carriage returns', async () => {
  expect((await logOf('Error: x\r    at y\n')).text).toBe('Error: x\n    at y\n');
});

test('keeps the end of a line without an end', async () => {
  const { text } = await logOf('a'.repeat(KEPT_BYTES), 'b'.repeat(10));
  expect(text).toBe(`${'a'.repeat(KEPT_BYTES - 10)}${'b'.repeat(10)}\n`);
});

test('keeps the last lines, in 64 KiB with their line feeds', async () => {
  // 1,024 lines of 64 bytes fill it.
  const lines = Array.from({ length: 1025 }, (_, index) => String(index).padStart(63, '0'));
  const { text, heard } = await logOf(lines.map((line) => `${line}\n`).join(''));
  expect(Buffer.byteLength(text)).toBe(KEPT_BYTES);
  expect(text).toBe(
    lines
      .slice(1)
      .map((line) => `${line}\n`)
      .join(''),
  );
  expect(heard).toHaveLength(1025);
});
