import * as fs from 'node:fs';
import * as path from 'node:path';
import { foreignPath, unreadablePath } from '../../../lib/host/foreign-path';
import { temporaryFolder } from '../../support/temporary-folder';

const DOWNLOAD = 'download it and pass the path of the copy';
const HOME = 'pass the full path, because only a shell expands ~ (in code, use os.homedir() or Path.home())';
const VARIABLE =
  'pass the full path, because only a shell expands variables (in code, use process.env or os.environ)';
const WINDOWS = 'pass its path on this machine, with /';

function missing(): unknown {
  return Object.assign(new Error(), { code: 'ENOENT' });
}

describe('a path that does not exist', () => {
  test.each<[name: string, got: string, advice: string]>([
    ['', 'an empty string', 'pass its path on this machine'],
    ['s3://bucket/model.onnx', 'an S3 address', DOWNLOAD],
    ['S3://bucket/model.onnx', 'an S3 address', DOWNLOAD],
    ['s3:/bucket/model.onnx', 'an S3 address', DOWNLOAD],
    ['https://host/model.onnx', 'a URL', DOWNLOAD],
    ['https:/host/model.onnx', 'a URL', DOWNLOAD],
    ['gs://bucket/model.onnx', 'a URL', DOWNLOAD],
    ['file:///models/model.onnx', 'a URL', 'pass the path without file://'],
    ['~/model.onnx', 'a path with ~', HOME],
    ['~', 'a path with ~', HOME],
    ['~ada/model.onnx', 'a path with ~', HOME],
    ['/app/~/model.onnx', 'a path with ~', HOME],
    ['$HOME/model.onnx', 'a path with a shell variable', VARIABLE],
    ['${HOME}/model.onnx', 'a path with a shell variable', VARIABLE],
    ['${_X}/model.onnx', 'a path with a shell variable', VARIABLE],
    ['%USERPROFILE%\\model.onnx', 'a path with a shell variable', VARIABLE],
    ['C:\\models\\m.onnx', 'a Windows path on another system', WINDOWS],
    ['c:/models/m.onnx', 'a Windows path on another system', WINDOWS],
    ['models\\m.onnx', 'a Windows path on another system', WINDOWS],
    ['\\\\server\\m.onnx', 'a Windows path on another system', WINDOWS],
  ])('%j is called what it is', (name, got, advice) => {
    expect(unreadablePath(name, missing())).toEqual({ got, advice });
  });

  test.each([
    '/models/m.onnx',
    'm.onnx',
    '../m~1.onnx',
    'a:b.onnx',
    'price-5$.onnx',
    'model$1.onnx',
    '100%.onnx',
    '50%5%.onnx',
    'm.onnx~',
  ])('%j is only missing', (name) => {
    expect(unreadablePath(name, missing())).toEqual({
      got: 'no such file or folder',
      advice: 'check the path',
    });
  });

  test('has no NUL character', () => {
    const error = Object.assign(new Error(), { code: 'ERR_INVALID_ARG_VALUE' });
    expect(unreadablePath('a\0b', error)).toEqual({
      got: 'a path with a NUL character',
      advice: 'remove the character',
    });
  });

  test('has the advice of its caller for an S3 address', () => {
    expect(foreignPath('s3://bucket/model.onnx', 'ask')).toEqual({ got: 'an S3 address', advice: 'ask' });
  });
});

test('a file that exists below a folder ~ is only unreadable', () => {
  const folder = path.join(temporaryFolder(), '~');
  fs.mkdirSync(folder);
  const denied = Object.assign(new Error(), { code: 'EACCES' });
  expect(unreadablePath(path.join(folder, 'm.onnx'), denied)).toEqual({
    got: 'permission denied',
    advice: 'check the path',
  });
});
