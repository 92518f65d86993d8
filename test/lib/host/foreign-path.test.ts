import { unreadablePath } from '../../../lib/host/read-text';

const failed = (code: string): Error => Object.assign(new Error(), { code });

test.each<[got: string, names: readonly string[]]>([
  ['an S3 address', ['s3://bucket/model.onnx', 'S3://bucket/model.onnx', 's3:/bucket/model.onnx']],
  ['a URL', ['https://host/model.onnx', 'gs:/bucket/model.onnx', 'file:///models/model.onnx']],
  ['a path with ~', ['~/model.onnx', '~', '~ada/model.onnx', '/app/~/model.onnx']],
  ['no such file or folder', ['/m/m.onnx', 'c:/m.onnx', '../m~1.onnx', 'a:b.onnx', 'm.onnx~']],
])('what does not exist is %s', (got, names) => {
  for (const name of names)
    expect({ name, ...unreadablePath(name, failed('ENOENT')) }).toMatchObject({ name, got });
});
