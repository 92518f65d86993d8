import * as fs from 'node:fs';
import * as path from 'node:path';
import { checkPlace, writeText } from '../../../bin/outputs/out-file';
import { temporaryFolder } from '../../support/temporary-folder';

(process.platform === 'win32' ? it.skip : it)(
  'a file behind a link is replaced, and the link stays',
  async () => {
    const folder = temporaryFolder();
    const [target, link] = ['target.json', 'link.json'].map((name) => path.join(folder, name));
    fs.writeFileSync(target, 'old');
    fs.symlinkSync(target, link);
    checkPlace(link, '--trace');
    await writeText(link, '--trace', 'new');
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
    expect(fs.readFileSync(target, 'utf8')).toBe('new');
    expect(fs.readdirSync(folder).sort()).toEqual(['link.json', 'target.json']);
  },
);
