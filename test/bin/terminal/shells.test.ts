import { execFileSync } from 'node:child_process';
import { SHELLS } from '../../../bin/terminal/shells';

it.each(['plain', 'a b', "it's", '$HOME `date` "x" \\', ''])('sh evaluates %j as it is', (value) => {
  const script = `${SHELLS.sh.set('NAME', value)}\nprintf '%s' "<$NAME>"`;
  expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(`<${value}>`);
});

it('PowerShell gets its own syntax', () => {
  const { set, unset } = SHELLS.powershell;
  expect(set('NAME', "it's")).toBe("$env:NAME = 'it''s'");
  expect(unset('NAME')).toBe('Remove-Item Env:NAME -ErrorAction Ignore');
});
