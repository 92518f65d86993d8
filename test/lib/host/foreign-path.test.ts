import * as fs from 'node:fs';
import * as path from 'node:path';
import { foreignPath, unreadablePath } from '../../../lib/host/read-text';
import { temporaryFolder } from '../../support/temporary-folder';

const failed = (code: string): Error => Object.assign(new Error(), { code });

test.each<[got: string, advice: string, names: readonly string[]]>([
  ['an empty string', 'pass its path on this machine', ['']],
  [
    'an S3 address',
    'download it and pass the path of the copy',
    ['s3://bucket/model.onnx', 'S3://bucket/model.onnx', 's3:/bucket/model.onnx'],
  ],
  [
    'a URL',
    'download it and pass the path of the copy',
    ['https://host/model.onnx', 'https:/host/model.onnx', 'gs://bucket/model.onnx'],
  ],
  ['a URL', 'pass the path without file://', ['file:///models/model.onnx']],
  [
    'a path with ~',
    'pass the full path, because only a shell expands ~ (in code, use os.homedir() or Path.home())',
    ['~/model.onnx', '~', '~ada/model.onnx', '/app/~/model.onnx'],
  ],
  [
    'a path with a shell variable',
    'pass the full path, because only a shell expands variables (in code, use process.env or os.environ)',
    ['$HOME/model.onnx', '${HOME}/model.onnx', '${_X}/model.onnx', '%USERPROFILE%\\model.onnx'],
  ],
  [
    'a Windows path on another system',
    'pass its path on this machine, with /',
    ['C:\\models\\m.onnx', 'c:/models/m.onnx', 'models\\m.onnx', '\\\\server\\m.onnx'],
  ],
  [
    'no such file or folder',
    'check the path',
    [
      '/m/m.onnx',
      'm.onnx',
      '../m~1.onnx',
      'a:b.onnx',
      '5$.onnx',
      'm$1.onnx',
      '1%.onnx',
      '50%5%.onnx',
      'm.onnx~',
    ],
  ],
])('what does not exist is %s: %s', (got, advice, names) => {
  for (const name of names)
    expect({ name, ...unreadablePath(name, failed('ENOENT')) }).toEqual({ name, got, advice });
});

test('a path with a NUL character is called that', () => {
  expect(unreadablePath('a\0b', failed('ERR_INVALID_ARG_VALUE')).got).toBe('a path with a NUL character');
});

test('an S3 address has the advice of the caller', () => {
  expect(foreignPath('s3://bucket/model.onnx', 'ask')).toEqual({ got: 'an S3 address', advice: 'ask' });
});

test('a file that exists below a folder ~ is only unreadable', () => {
  const folder = path.join(temporaryFolder(), '~');
  fs.mkdirSync(folder);
  const fault = unreadablePath(path.join(folder, 'm.onnx'), failed('EACCES'));
  expect(fault).toEqual({ got: 'permission denied', advice: 'check the path' });
});
