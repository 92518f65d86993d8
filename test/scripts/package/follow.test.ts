/** What a document that is followed must not print, or be. `npm run check:docs` follows documents that are right. */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../support/documents';
import { temporaryFolder } from '../../support/temporary-folder';

const CHECKS = path.join(ROOT, 'test/package');

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

test.each([
  ['an unknown attribute', block('sh skp="why"', 'true'), "must have attributes that exist, got 'skp'"],
  ['another output', block('console', '$ echo 2.5\n2…6'), 'a.md:1: `echo 2.5` must print\n2…6\ngot\n2.5\n'],
  ['other words than numbers', block('console numbers="vary"', '$ echo 1 a\n2 b'), 'must print\n2 b'],
  ['a command that fails', block('sh', 'echo why; exit 3'), 'must succeed, got exit code 3:\nwhy\n'],
])('following a document fails with %s', (_, markdown, message) => {
  const { status, stderr } = follow(markdown);
  expect(stderr).toContain(message);
  expect(status).toBe(1);
});
