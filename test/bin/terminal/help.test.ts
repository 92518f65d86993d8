/** What `--help` prints, for all commands: examples, lines that fit a terminal, groups; and that the flags of the guide exist. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { outcome, succeed } from '../../support/run-cli';

const helpOf = (command: string): Promise<string> => succeed([...command.split(' '), '--help']);

/** The names below the headings of groups, by heading. */
function groups(help: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let names: string[] = [];
  for (const line of help.split('\n')) {
    const heading = /^(\S.*):$/.exec(line)?.[1];
    if (heading !== undefined) found.set(heading, (names = []));
    const name = /^ {2}(?:-\w, )?([a-z-]+)/.exec(line)?.[1];
    if (name !== undefined) names.push(name);
  }
  return found;
}

const flagsOf = (help: string): string[] =>
  [...groups(help).values()].flat().filter((name) => name.startsWith('--'));

let commands: string[];
beforeAll(async () => {
  const listed = groups(await succeed(['--help']));
  expect([...listed.keys()]).toEqual(['Options', 'Start', 'Slice and check', 'Run', 'Other', 'Examples']);
  const top = ['Start', 'Slice and check', 'Run', 'Other'].flatMap((group) => listed.get(group) ?? []);
  const inner = await Promise.all(
    top
      .filter((name) => name !== 'help')
      .map(async (name) => [
        name,
        ...(groups(await helpOf(name)).get('Commands') ?? []).map((own) => `${name} ${own}`),
      ]),
  );
  commands = inner.flat();
});

it('shows an example of every command, and no line is longer than 80 columns', async () => {
  expect(commands).toEqual(expect.arrayContaining(['plan', 'batch', 'constants prices', 'cache clear']));
  for (const command of commands) {
    const help = await helpOf(command);
    expect(help).toContain(`\nExamples:\n  $ `);
    expect(help).toContain(`sliced-inference ${command}`);
    expect([command, help.split('\n').filter((line) => line.length > 80)]).toEqual([command, []]);
  }
});

it.each(['plan', 'slice', 'verify'])('every flag of %s is in a group with a name', async (command) => {
  const found = groups(await helpOf(command));
  expect([...found.keys()]).not.toContain('Options');
  expect(found.get('Cuts')).toContain('--slices');
  expect(found.get(command === 'verify' ? 'Functions' : 'Pipeline and its price')).toContain(
    '--architecture',
  );
});

it('every flag in the table of the guide exists', async () => {
  const guide = fs.readFileSync(path.join(__dirname, '../../../docs/command-line.md'), 'utf8');
  const rows = [...guide.matchAll(/^\| `(--[a-z-]+)[^|]*\|[^|\n]*\| (.*?) +\|$/gm)];
  expect(rows.length).toBeGreaterThan(30);
  for (const [, flag, users] of rows) {
    const named = users.startsWith('all') ? [] : [...users.matchAll(/`([a-z]+)`/g)].map(([, name]) => name);
    for (const command of named)
      expect([command, flagsOf(await helpOf(command))]).toEqual([command, expect.arrayContaining([flag])]);
  }
});

it('help COMMAND is COMMAND --help', async () => {
  expect(await succeed(['help', 'plan'])).toBe(await helpOf('plan'));
});

it.each([[[]], [['cache']]])('%j needs a command, so it shows its help, and fails', async (args) => {
  const stderr = expect.stringMatching(/^Usage: sliced-inference [^]*\nExamples:\n/) as string;
  expect(await outcome(args)).toMatchObject({ code: 2, stdout: '', stderr });
});
