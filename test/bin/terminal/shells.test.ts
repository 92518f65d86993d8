import { execFileSync } from 'node:child_process';
import { set } from '../../../bin/terminal/shells';

it.each(['plain', 'a b', "it's", '$HOME `date` "x" \\', ''])('sh evaluates %j as it is', (value) => {
  const script = `${set('NAME', value)}\nprintf '%s' "<$NAME>"`;
  expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(`<${value}>`);
});
