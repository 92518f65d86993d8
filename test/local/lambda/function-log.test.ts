import { FunctionLog } from '../../../local/lambda/function-log';

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
