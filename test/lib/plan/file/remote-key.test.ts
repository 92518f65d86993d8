import { prefixFault, remoteKey } from '../../../../lib/plan/file/plan';

test.each([
  ['', 'slice-00.onnx', 'abc.onnx'],
  ['models', 'slice-00.weights', 'models/abc.weights'],
  ['models/v1.2', 'slice.v2.onnx', 'models/v1.2/abc.onnx'],
])('below the prefix %j, the key of %s is %s', (prefix, file, key) => {
  expect(remoteKey(prefix, { file, bytes: 1, sha256: 'abc' })).toBe(key);
});

test.each([
  ['', undefined],
  ['a/b-c', undefined],
  ['a'.repeat(512), undefined],
  ['a'.repeat(513), 'a prefix has at most 512 characters'],
  ['a b', 'a prefix has letters, digits, slashes and !_.()=@+- only'],
  ['a//b', "a prefix cannot have an empty part, '.' or '..'"],
  ['a/..', "a prefix cannot have an empty part, '.' or '..'"],
])('the fault of the prefix %j is %j', (prefix, fault) => {
  expect(prefixFault(prefix)).toBe(fault);
});
