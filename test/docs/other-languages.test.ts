/** The guide of other languages has the code of the examples, and these name the versions of this package. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT, documentNamed } from '../support/documents';

const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');

const { version, devDependencies } = JSON.parse(read('package.json')) as {
  version: string;
  devDependencies: Record<string, string>;
};

const guide = documentNamed('docs/other-languages.md');

test.each([
  ['java', 'examples/java/src/main/java/OcrApp.java'],
  ['go', 'examples/go/ocr.go'],
])("the guide's stack in %s is the example's", (language, file) => {
  expect(guide.codeBlocks(language).map(({ code }) => code)).toEqual([read(file)]);
});

test('the guide and the example for Java name the version of the package', () => {
  for (const text of [guide.text, read('examples/java/pom.xml')]) {
    const [, named] = /<artifactId>cdk-sliced-inference<\/artifactId>\s*<version>(.*?)</.exec(text) ?? [];
    expect(named).toBe(version);
  }
});

test('the example for Java has the CDK that the package depends on', () => {
  const [, named] =
    /<artifactId>aws-cdk-lib<\/artifactId>\s*<version>(.*?)</.exec(read('examples/java/pom.xml')) ?? [];
  expect(read('scripts/package/languages/java-versions.xml')).toContain(
    `(?!${named.replaceAll('.', '\\.')}$)`,
  );
});

test('the guide and the example for Go name the version of the package', () => {
  expect(guide.text).toContain(`cdk-sliced-inference-go/slicedinference@v${version}`);
  expect(read('examples/go/go.mod')).toContain(`cdk-sliced-inference-go/slicedinference v${version}\n`);
});

test('the example for Go has the CDK that the package is built with', () => {
  expect(read('examples/go/go.mod')).toContain(`/awscdk/v2 v${devDependencies['aws-cdk-lib']}\n`);
});
