import { PassThrough } from 'node:stream';
import { FunctionLog } from '../../../local/lambda/function-log';

test('keeps the lines of an output and passes them on', async () => {
  const heard: string[] = [];
  const log = new FunctionLog('fn', (name, line) => heard.push(`${name}: ${line}`));
  const output = new PassThrough();
  log.follow(output);
  output.end('one\ntwo\rthree\nrest');
  await new Promise((resolve) => output.once('end', resolve));
  expect(log.text()).toBe('one\ntwo\nthree\nrest\n');
  expect(heard).toEqual(['fn: one', 'fn: two\nthree', 'fn: rest']);
});

test('loses the lines while the role may not write logs, and says so once', () => {
  let refusal: string | undefined = 'not authorized';
  const log = new FunctionLog('fn', undefined, () => refusal);
  log.append('lost');
  log.append('lost too');
  refusal = undefined;
  log.append('kept');
  refusal = 'again';
  log.append('lost');
  const lost = 'the log lines of this function are lost: ';
  expect(log.text()).toBe(`${lost}not authorized\nkept\n${lost}again\n`);
});
