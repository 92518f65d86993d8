/** Documents show whole files of examples, and these name the versions of this package. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT, documentNamed } from '../support/documents';

const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');

const { version, devDependencies } = JSON.parse(read('package.json')) as {
  version: string;
  devDependencies: Record<string, string>;
};

test.each([
  ...['make-model.ts', 'inputs.json'].map((file) => [
    'examples/quickstart/README.md',
    `examples/quickstart/${file}`,
  ]),
  ['docs/other-languages.md', 'examples/java/src/main/java/OcrApp.java'],
  ['docs/other-languages.md', 'examples/go/ocr.go'],
  ['docs/python.md', 'examples/python/app.py'],
])('%s shows the whole %s', (document, file) => {
  const languages = { '.ts': 'ts', '.json': 'json', '.java': 'java', '.go': 'go', '.py': 'python' };
  const language = languages[path.extname(file) as keyof typeof languages];
  const shown = documentNamed(document).codeBlocks(language);
  expect(shown.map(({ text }) => text)).toContain(read(file));
});

const guide = documentNamed('docs/other-languages.md').text;
const versionOf = (artifact: string, text: string) =>
  new RegExp(`<artifactId>${artifact}</artifactId>\\s*<version>(.*?)<`).exec(text)?.[1];

test('the guide and the examples name the version of the package', () => {
  for (const text of [guide, read('examples/java/pom.xml')])
    expect(versionOf('cdk-sliced-inference', text)).toBe(version);
  expect(guide).toContain(`cdk-sliced-inference-go/slicedinference@v${version}`);
  expect(read('examples/go/go.mod')).toContain(`cdk-sliced-inference-go/slicedinference v${version}\n`);
});

test('the examples have the CDK that the package is built with', () => {
  const java = versionOf('aws-cdk-lib', read('examples/java/pom.xml')) ?? '';
  expect(read('scripts/package/languages/java-versions.xml')).toContain(
    `(?!${java.replaceAll('.', '\\.')}$)`,
  );
  expect(read('examples/go/go.mod')).toContain(`/awscdk/v2 v${devDependencies['aws-cdk-lib']}\n`);
});
