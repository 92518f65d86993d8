/** Props, flags, warnings and errors that the documents name. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ERROR_NAMES } from '../../contract/failures';
import * as api from '../../lib';
import { DOCUMENTS, README, ROOT, documentNamed } from '../support/documents';
import { cli } from '../support/run-cli';

const PROP = /^\| (prop|`?slicing`?) +\|/;

function source(file: string): string {
  return fs.readFileSync(path.join(ROOT, file), 'utf8');
}

function propsOf(file: string, type: string): string[] {
  const [, body] =
    new RegExp(`export interface ${type} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source(file)) ?? [];
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
}

describe('props', () => {
  const guide = documentNamed('docs/props-and-slicing.md');
  const shared = propsOf('lib/pipeline/inference-props.ts', 'InferenceProps');
  const own = propsOf(
    'lib/pipeline/pipeline-props.ts',
    'SlicedInferencePipelineProps extends InferenceProps',
  );
  const props = [...shared, ...own];
  const described = guide.firstColumn(/^\| prop +\|/);

  test('of the guide are exactly those of the construct', () => {
    expect(props.length).toBeGreaterThan(25);
    expect([...described].sort()).toEqual([...props].sort());
  });

  test('of a function are all in its guide', () => {
    const { text } = documentNamed('docs/functions.md');
    const options = propsOf('lib/aws/slice-function-options.ts', 'SliceFunctionOptions');
    const type = 'InferenceFunctionProps extends InferenceProps, SliceFunctionOptions';
    const ofFunction = propsOf('lib/function/inference-function-props.ts', type);
    expect(ofFunction.length).toBeGreaterThan(2);
    const all = [...shared, ...options, ...ofFunction];
    expect(all.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test('of the README are some of the construct', () => {
    const named = README.firstColumn(PROP);
    expect(named.length).toBeGreaterThan(5);
    expect(props).toEqual(expect.arrayContaining(named));
  });

  test.each([
    ['lib/pipeline/slicing-options.ts', 'SlicingEstimateOptions'],
    ['lib/pipeline/slicing-options.ts', 'AutomaticSlicingOptions extends SlicingEstimateOptions'],
    ['lib/aws/slice-function-options.ts', 'SliceFunctionOptions'],
  ])('of %s, %s, are all in the guide', (file, type) => {
    const options = propsOf(file, type);
    expect(options).not.toEqual([]);
    // In code, or in a column of names.
    const isShown = (name: string) => guide.text.includes(`${name}:`) || guide.text.includes(`\`${name}\``);
    expect(options.filter((name) => !isShown(name))).toEqual([]);
  });
});

test('constants of the public API that a document names exist', () => {
  const types = new Map(Object.entries(api).map(([name, type]) => [name, new Set(Object.keys(type))]));
  const enums = [...types].filter(([, members]) => members.size > 0).map(([name]) => name);
  expect(enums).toEqual(expect.arrayContaining(['Consolidation', 'GraphOptimization', 'WarmUp']));
  // Go writes `WarmUp_NEVER`.
  const constant = new RegExp(`\\b(${enums.join('|')})[._]([A-Z][A-Z0-9_]*)\\b`, 'g');
  const named = DOCUMENTS.flatMap(({ text, file }) =>
    [...text.matchAll(constant)].map(([found, type, member]) => ({
      place: `${file}: ${found}`,
      type,
      member,
    })),
  );
  expect(named.length).toBeGreaterThan(20);
  const unknown = named.filter(({ type, member }) => types.get(type)?.has(member) !== true);
  expect(unknown.map(({ place }) => place)).toEqual([]);
});

describe('the command line', () => {
  let help: string;

  beforeAll(async () => {
    const names = ['inspect', 'plan', 'slice', 'verify', 'run', 'local', 'invoke', 'batch', 'calibrate'];
    const commands = [...names.map((name) => [name]), ['cache', 'clear']];
    const answers = await Promise.all(commands.map((command) => cli([...command, '--help'])));
    help = answers.map(({ stdout }) => stdout).join('\n');
  });

  test('has exactly the flags of the guide', () => {
    const guide = documentNamed('docs/command-line.md').firstColumn(/^\| flag +\|/);
    const described = guide.map((flag) => flag.split(' ')[0]);
    const known = new Set(
      help.match(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)?.map((line) => line.replace(/.*--/, '--')),
    );
    known.delete('--help');
    expect([...new Set(described)].sort()).toEqual([...known].sort());
  });
});

describe('troubleshooting', () => {
  const guide = documentNamed('docs/troubleshooting.md');

  test('describes exactly the warnings of the construct', () => {
    const sources = ['lib/aws', 'lib/batch', 'lib/pipeline']
      .flatMap((folder) => fs.readdirSync(path.join(ROOT, folder)).map((name) => `${folder}/${name}`))
      .filter((file) => file.endsWith('.ts'))
      .map(source)
      .join('\n');
    const id = /(?:warn|inform)\(\s*(?:scope|this),\s*'(\w+)'|'(\w+Quota|little\w+|no\w+Endpoint)'/g;
    const known = new Set([...sources.matchAll(id)].map(([, ...ids]) => ids.join('')));
    for (const info of ['oneSlice', 'oneFunction', 'largeRequest']) {
      expect(known.delete(info)).toBe(true);
      expect(guide.text).toContain(`\`${info}\``);
    }
    expect(known.size).toBeGreaterThan(10);
    expect(guide.firstColumn(/^\| warning +\|/).sort()).toEqual([...known].sort());
  });

  test('and the guide of requests name every error of an execution', () => {
    for (const { text } of [guide, documentNamed('docs/requests-and-results.md')]) {
      expect(Object.values(ERROR_NAMES).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
    }
  });
});
