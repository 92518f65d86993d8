import { isExecutionName } from '../../../local/step-functions/execution-name';

test.each(['a', 'x'.repeat(80), 'with.dots-and_lines', "it's(ok)!", 'Größe', '実行', 'a+b=c@d'])(
  '%s is a name',
  (name) => {
    expect(isExecutionName(name)).toBe(true);
  },
);

test.each([
  ['nothing', ''],
  ['81 characters', 'x'.repeat(81)],
  ['a space', 'a b'],
  ['a line feed', 'a\nb'],
  ['a NUL', 'a\0b'],
  ['a C1 control', 'a\u0085b'],
  ['half a surrogate pair', 'a\ud800'],
  ...'<>{}[]?*"#%\\^|~`$&,;:/'.split('').map((character) => [`a ${character}`, `a${character}b`]),
])('a name must not have %s', (_, name) => {
  expect(isExecutionName(name)).toBe(false);
});
