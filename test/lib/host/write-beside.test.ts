import * as fs from 'node:fs';
import * as path from 'node:path';
import { replaceFile, withPartial } from '../../../lib/host/folders';
import { temporaryFolder } from '../../support/model-builder';

describe('replaceFile', () => {
  test('creates and replaces a file, leaves nothing beside it, and does not change what a reader sees', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'a');
    replaceFile(file, 'first');
    const reader = fs.openSync(file, 'r');
    replaceFile(file, Buffer.from('second'));
    expect(fs.readFileSync(reader, 'utf8')).toBe('first');
    fs.closeSync(reader);
    expect(fs.readFileSync(file, 'utf8')).toBe('second');
    expect(fs.readdirSync(folder)).toEqual(['a']);
  });

  test('leaves nothing behind when the file cannot be replaced', () => {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, 'a', 'b'), { recursive: true });
    expect(() => {
      replaceFile(path.join(folder, 'a'), 'content');
    }).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(fs.readdirSync(folder, { recursive: true })).toEqual(['a', path.join('a', 'b')]);
  });
});

describe('withPartial', () => {
  test('removes the partial folder and throws the error when writing fails', () => {
    const partial = path.join(temporaryFolder(), 'partial');
    const write = (): never => {
      fs.mkdirSync(partial);
      fs.writeFileSync(path.join(partial, 'a'), 'half');
      throw new Error('the disk is full');
    };
    expect(() => withPartial(partial, write)).toThrow('the disk is full');
    expect(fs.existsSync(partial)).toBe(false);
  });

  test('returns the result and keeps what was renamed', () => {
    const folder = temporaryFolder();
    const partial = path.join(folder, 'partial');
    const result = withPartial(partial, () => {
      fs.mkdirSync(partial);
      fs.renameSync(partial, path.join(folder, 'whole'));
      return 7;
    });
    expect(result).toBe(7);
    expect(fs.readdirSync(folder)).toEqual(['whole']);
  });
});
