/** A document is followed: files are saved, commands run in one shell, and outputs are compared. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../support/documents';
import { temporaryFolder } from '../../support/temporary-folder';

const CHECKS = path.join(ROOT, 'scripts/package/checks');

/** Follows a document in an empty folder, in a process because Jest cannot import the script. */
function follow(markdown: string): { folder: string; status: number | null; stdout: string; stderr: string } {
  const [app, steps] = ['app.mjs', 'follow.mjs'].map((file) =>
    JSON.stringify(pathToFileURL(path.join(CHECKS, file)).href),
  );
  const folder = temporaryFolder();
  const code = `import { App } from ${app}; import { follow, stepsOf } from ${steps};
    const lines = await follow(new App('sh', process.argv[1]), stepsOf('a.md', process.argv[2]));
    console.log(lines.join('\\n'));`;
  const args = ['--input-type=module', '--eval', code, folder, markdown];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  return { folder, status, stdout, stderr };
}

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;

describe('following a document', () => {
  it('saves files, keeps variables from command to command, and ends what runs in the background', () => {
    const { folder, status, stderr } = follow(
      block('ts file=a.ts', 'const a = 1;') +
        block('sh', 'sleep 1000 &\nNAME=a.ts') +
        block('console', '$ cat $NAME\nconst a = …;\n$ printf "x\\ny\\nz\\n"\nx\n…\nz'),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(fs.readFileSync(path.join(folder, 'a.ts'), 'utf8')).toBe('const a = 1;\n');
  });

  it('does not run what the document says to skip, and says why it does not compare an output', () => {
    const { stdout, status } = follow(
      block('text of="exit 3"', '7') +
        block('sh skip="needs an account"', 'exit 3') +
        block('sh needs="no-such-program"', 'exit 4') +
        block('text of="seq 2" skip="differs"', '7') +
        block('sh', 'seq 2'),
    );
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => line.includes('skipped'))).toEqual([
      '  skipped a.md:4: needs an account',
      '  skipped a.md:7: no no-such-program here',
      '  skipped a.md:1: needs an account',
      '  skipped a.md:10: differs',
    ]);
  });

  it('runs commands in the folder and to the exit code that the document names', () => {
    const inside = block('sh in="inside" exit="3"', '(pwd > where; exit 3)');
    const { folder, status } = follow(`${inside}${block('sh', 'pwd > where')}`);
    expect(status).toBe(0);
    const where = ['inside', '.'].map((name) => fs.readFileSync(path.join(folder, name, 'where'), 'utf8'));
    const real = fs.realpathSync(folder);
    expect(where).toEqual([`${real}/inside\n`, `${real}\n`]);
  });

  it('compares lines that stand elsewhere, and accepts other numbers if they vary', () => {
    const table = 'slice  ms\n    0  7';
    const printing = block('sh', 'printf "first\\nslice   ms\\n    0  1,234.5\\nlast\\n"');
    expect(follow(block('text of="printf" numbers="vary"', table) + printing).status).toBe(0);
    const { stderr } = follow(block('text of="printf"', table) + printing);
    expect(stderr).toContain('a.md:1: `printf "first');
    expect(follow(block('console numbers="vary"', '$ echo 1 a\n2 b')).stderr).toContain('must print\n2 b');
  });

  it.each([
    ['a block of another shell', block('bash', 'true'), 'a.md:1 must be `sh` or `console`, got `bash`'],
    ['an unknown attribute', block('sh skp="why"', 'true'), "must have attributes that exist, got 'skp'"],
    [
      'output of no command',
      block('text of="x"', 'y'),
      'must show the output of a command, got none with `x`',
    ],
    ['another output', block('console', '$ echo 2.5\n2…6'), 'a.md:1: `echo 2.5` must print\n2…6\ngot\n2.5\n'],
    ['more output', block('console', '$ printf "1\\n2\\n"\n1'), 'must print\n1\ngot\n1\n2\n'],
    ['a command that fails', block('sh', 'echo why; exit 3'), 'must succeed, got exit code 3:\nwhy\n'],
  ])('fails with %s', (_, markdown, message) => {
    const { status, stderr } = follow(markdown);
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });
});
