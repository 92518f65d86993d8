/** What a document that is followed must not print, or be. `npm run check:docs` follows documents that are right. */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../support/documents';
import { temporaryFolder } from '../../support/temporary-folder';

const CHECKS = path.join(ROOT, 'scripts/package/checks');

/** Follows a document in an empty folder, in a process because Jest cannot import the script. */
function follow(markdown: string): { status: number | null; stderr: string } {
  const [app, steps] = ['app.mjs', 'follow.mjs'].map((file) =>
    JSON.stringify(pathToFileURL(path.join(CHECKS, file)).href),
  );
  const code = `import { App } from ${app}; import { follow, stepsOf } from ${steps};
    await follow(new App('sh', process.argv[1]), stepsOf('a.md', process.argv[2]));`;
  const args = ['--input-type=module', '--eval', code, temporaryFolder(), markdown];
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
}

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;

describe('following a document', () => {
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
