import { parseS3Uri } from '../../../bin/upload';

test.each([
  ['s3://models/', { bucket: 'models', prefix: '' }],
  ['s3://my.models-1/a', { bucket: 'my.models-1', prefix: 'a' }],
  ['s3://models/a/b.c/d=1/', { bucket: 'models', prefix: 'a/b.c/d=1' }],
])('%s is accepted', (text, location) => {
  expect(parseS3Uri(text)).toEqual(location);
});

test.each([
  ['S3://models', 'it must begin with s3:// and the name of a bucket'],
  [`s3://${'a'.repeat(64)}`, 'the name of a bucket has 3 to 63 lower-case letters'],
  ['s3://Models', 'the name of a bucket has 3 to 63 lower-case letters'],
  ['s3://ab', 'the name of a bucket has 3 to 63 lower-case letters'],
  ['s3://a..b', 'the name of a bucket has 3 to 63 lower-case letters'],
  ['s3://10.0.0.1/a', 'the name of a bucket has 3 to 63 lower-case letters'],
  ['s3://models/../a', "a prefix cannot have an empty part, '.' or '..'"],
  ['s3://models/*', 'a prefix has letters, digits, slashes and !_.()=@+- only'],
  ['s3://models/a\n', 'a prefix has letters, digits, slashes and !_.()=@+- only'],
  [`s3://models/${'a'.repeat(513)}`, 'a prefix has at most 512 characters'],
])('%j is refused', (text, rule) => {
  expect(() => parseS3Uri(text)).toThrow(rule);
  expect(() => parseS3Uri(text)).toThrow(
    /^an S3 location must have the form s3:\/\/bucket or s3:\/\/bucket\/prefix, got '[^\n]*': /,
  );
});
