import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { checkPlace, writeNamedFile } from '../../../bin/outputs/named-file';
import { saveModel, mlp } from '../../support/model-builder';
import { namedPipe } from '../../support/links-and-pipes';
import { succeed } from '../../support/run-cli';
import { temporaryFolder } from '../../support/temporary-folder';

const FLAG = '--out';

/** As commands do: first the check, then the work, then the file. */
async function write(file: string, content = 'new'): Promise<void> {
  checkPlace(file, FLAG);
  await writeNamedFile(file, FLAG, content);
}

const onUnix = process.platform === 'win32' ? describe.skip : describe;

onUnix('a file that a flag names', () => {
  it.each([0o600, 0o666])(
    'is replaced as a whole, with its permissions %d, if it is a regular file',
    async (mode) => {
      const file = path.join(temporaryFolder(), 'a');
      fs.writeFileSync(file, 'old');
      fs.chmodSync(file, mode);
      const reader = fs.openSync(file, 'r');
      await write(file);
      expect(fs.readFileSync(reader, 'utf8')).toBe('old');
      fs.closeSync(reader);
      expect(fs.readFileSync(file, 'utf8')).toBe('new');
      expect(fs.statSync(file).mode & 0o777).toBe(mode);
      expect(fs.readdirSync(path.dirname(file))).toEqual(['a']);
    },
  );

  it.each<[string, readonly string[]]>([
    ['a file', ['old']],
    ['nothing yet', []],
  ])('stays a link, if it refers to %s in another folder by another link', async (_, contents) => {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, 'far/links'), { recursive: true });
    for (const content of contents) fs.writeFileSync(path.join(folder, 'far/target'), content);
    // The second link is relative to where its folder is, and not to the path that led there.
    fs.symlinkSync(path.join(folder, 'far/links'), path.join(folder, 'near'));
    fs.symlinkSync('../target', path.join(folder, 'far/links/second'));
    fs.symlinkSync('near/second', path.join(folder, 'first'));
    await write(path.join(folder, 'first'));
    expect(fs.readlinkSync(path.join(folder, 'first'))).toBe('near/second');
    expect(fs.readlinkSync(path.join(folder, 'near/second'))).toBe('../target');
    expect(fs.readFileSync(path.join(folder, 'far/target'), 'utf8')).toBe('new');
    expect(fs.readdirSync(path.join(folder, 'far')).sort()).toEqual(['links', 'target']);
  });

  it('keeps its content, and nothing stays beside it, if it cannot be replaced', () => {
    const file = path.join(temporaryFolder(), 'a');
    fs.writeFileSync(file, 'old');
    const limited = `ulimit -f 0; exec "$@"`;
    const program = `require(${JSON.stringify(path.join(__dirname, '../../../dist/bin/outputs/named-file.js'))})
      .writeNamedFile(${JSON.stringify(file)}, '--out', 'new').catch((error) => console.log(error.message));`;
    const args = ['-c', limited, 'sh', process.execPath, '-e', program];
    expect(execFileSync('sh', args, { encoding: 'utf8' })).toBe(
      `--out must name a file that can be written, got EFBIG for '${file}': choose another file\n`,
    );
    expect(fs.readFileSync(file, 'utf8')).toBe('old');
    expect(fs.readdirSync(path.dirname(file))).toEqual(['a']);
  });

  it.each<[string, (folder: string) => string, RegExp]>([
    ['no name', () => '', /^--out must name a file, got ''/],
    ['standard output', () => '-', /^--out must name a file, got '-': pass a path; --json prints/],
    [
      'a link to itself',
      (folder) => (fs.symlinkSync('loop', path.join(folder, 'loop')), path.join(folder, 'loop')),
      /^--out must name a file that can be written, got ELOOP for '/,
    ],
  ])('is refused before the work if it is %s', (_, fileIn, message) => {
    const folder = temporaryFolder();
    expect(() => {
      checkPlace(fileIn(folder), FLAG);
    }).toThrow(message);
  });
});

onUnix('a pipe', () => {
  const model = saveModel(mlp(1));
  it('gets what plan writes to --report', async () => {
    const file = path.join(temporaryFolder(), 'pipe');
    const { text } = namedPipe(file);
    expect(await succeed(['plan', model, '--report', file])).toMatch(new RegExp(`written to ${file}\n`));
    expect(fs.statSync(file).isFIFO()).toBe(true);
    expect(await text).toMatch(/^<!doctype html>/i);
  });
});
