import * as fs from 'node:fs';
import * as path from 'node:path';
import { replaceFile } from '../../../lib/host/folders';
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
