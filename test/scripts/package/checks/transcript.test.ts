/** A document is followed: files are saved, commands run in one shell, and outputs are compared. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../../support/documents';
import { temporaryFolder } from '../../../support/temporary-folder';

const CHECKS = path.join(ROOT, 'scripts/package/checks');

/** Follows a document in an empty folder, in a process because Jest cannot import the script. */
function follow(markdown: string): { folder: string; status: number | null; stderr: string } {
  const [app, transcript] = ['app.mjs', 'transcript.mjs'].map((file) =>
    JSON.stringify(pathToFileURL(path.join(CHECKS, file)).href),
  );
  const folder = temporaryFolder();
  const code = `import { App } from ${app}; import { follow, stepsOf } from ${transcript};
    follow(new App('sh', process.argv[1]), stepsOf('a.md', process.argv[2]));`;
  const args = ['--input-type=module', '--eval', code, folder, markdown];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  return { folder, status, stderr };
}

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;

describe('following a document', () => {
  it('saves files, keeps variables from command to command, and ends what runs in the background', () => {
    const { folder, status, stderr } = follow(
      block('ts file=a.ts', 'const a = 1;') +
        block('bash', 'exit 3') +
        block('sh', 'sleep 1000 &\nNAME=a.ts') +
        block('console', '$ cat $NAME\nconst a = …;\n$ printf "x\\ny\\nz\\n"\nx\n…\nz'),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(fs.readFileSync(path.join(folder, 'a.ts'), 'utf8')).toBe('const a = 1;\n');
  });

  it.each([
    ['another output', block('console', '$ echo 2.5\n2…6'), 'a.md:1: `echo 2.5` must print\n2…6\ngot\n2.5\n'],
    ['more output', block('console', '$ printf "1\\n2\\n"\n1'), 'must print\n1\ngot\n1\n2\n'],
    [
      'a failure',
      block('sh', 'true') + block('sh', 'echo why; exit 3'),
      'must succeed, got exit code 3:\nwhy\n',
    ],
  ])('fails with %s', (_, markdown, message) => {
    const { status, stderr } = follow(markdown);
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });
});
