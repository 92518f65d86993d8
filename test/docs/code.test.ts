/** The TypeScript of the documents and of the examples in docstrings runs against the library as it is, and their Python compiles. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vm from 'node:vm';
import * as cdk from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as schedulerTargets from 'aws-cdk-lib/aws-scheduler-targets';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import ts from 'typescript';
import * as client from '../../client';
import * as publicApi from '../../lib';
import { compile } from '../../lib/compile/compile';
import { count } from '../../lib/plan/slicers';
import * as local from '../../local';
import type { Block } from '../package/fences.cjs';
import { DOCUMENTS, Document, README, documentNamed } from '../support/documents';
import { graphOf } from '../support/graph-text';
import { FLOAT, saveModel, value } from '../support/model-builder';
import { newApp } from '../support/pipeline-stack';
import { writtenPlan } from '../support/written-plan';

/** What a block of code may import. */
const MODULES: Readonly<Record<string, object>> = {
  'aws-cdk-lib': cdk,
  'aws-cdk-lib/aws-lambda': lambda,
  'aws-cdk-lib/aws-scheduler': scheduler,
  'aws-cdk-lib/aws-scheduler-targets': schedulerTargets,
  'cdk-sliced-inference': publicApi,
  'cdk-sliced-inference/client': client,
  'cdk-sliced-inference/local': local,
};

/** The model of the examples: symbolic dimensions `batch` and `width`, and enough nodes for five slices. */
const MODEL = saveModel({
  graph: graphOf('Tanh x > t0; Tanh t0 > t1; Tanh t1 > t2; Tanh t2 > t3; Tanh t3 > t4; Tanh t4 > y', {
    input: [value('x', FLOAT, ['batch', 'width'])],
    output: [value('y', FLOAT, ['batch', 'width'])],
  }),
});

/** The names that shorter blocks leave to the reader. For jsii-rosetta, a fixture in scripts/package declares them. */
function context(): Record<string, unknown> {
  const stack = new cdk.Stack(newApp(), 'Stack');
  const pipeline = new publicApi.SlicedInferencePipeline(stack, 'Pipeline', {
    modelPath: MODEL,
    slicing: publicApi.Slicing.count(4),
    sliceMetrics: true,
  });
  return {
    ...publicApi,
    ...{ SnsAction, ec2, kms, s3, sfn },
    ...{ Annotations: cdk.Annotations, CfnOutput: cdk.CfnOutput, Duration: cdk.Duration, Size: cdk.Size },
    stack,
    pipeline,
    batch: new publicApi.SlicedInferenceBatch(stack, 'Batch', {
      ...{ pipeline, items: publicApi.BatchItems.objects('inputs/documents/') },
    }),
    fn: new publicApi.InferenceFunction(stack, 'Function', { modelPath: MODEL, sliceMetrics: true }),
    alarms: new publicApi.SlicedInferenceAlarms(pipeline, 'PipelineAlarms', { pipeline }),
    caller: new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() }),
    key: new kms.Key(stack, 'Key'),
    topic: new sns.Topic(stack, 'Topic'),
    vpc: new ec2.Vpc(stack, 'Vpc'),
  };
}

/** Runs code as a block that sees the given names and may declare them anew. */
function run(code: string, given: Readonly<Record<string, unknown>>): void {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    reportDiagnostics: true,
  });
  const globals = {
    require: (name: string) => MODULES[name],
    exports: {},
    ...{ console, process },
    ...{ Map, Uint8Array, Float32Array },
  };
  const parameters = { ...globals, ...given };
  const body = vm.compileFunction(`{${outputText}}`, Object.keys(parameters)) as (
    ...values: unknown[]
  ) => void;
  body(...Object.values(parameters));
}

/** The names of the props in each `new SlicedInferencePipeline(...)`: JavaScript would accept others without a word. */
function propsIn(code: string): string[] {
  const found: string[] = [];
  const visit = (at: ts.Node): void => {
    if (ts.isNewExpression(at) && at.expression.getText(file) === 'SlicedInferencePipeline') {
      const props = at.arguments?.[2];
      if (props && ts.isObjectLiteralExpression(props))
        found.push(...props.properties.map((property) => property.name?.getText(file) ?? ''));
    }
    at.forEachChild(visit);
  };
  const file = ts.createSourceFile('block.ts', code, ts.ScriptTarget.ES2022);
  visit(file);
  return found;
}

const before = process.cwd();

beforeAll(() => {
  const folder = path.dirname(MODEL);
  const slices = writtenPlan(compile(MODEL, count(5)));
  fs.cpSync(slices.folder, path.join(folder, 'slices'), { recursive: true });
  fs.copyFileSync(slices.file, path.join(folder, 'ocr-plan.json'));
  fs.writeFileSync(path.join(folder, 'preprocess.ts'), 'export const handler = (event: object) => event;');
  for (const step of ['preprocess', 'postprocess']) {
    fs.mkdirSync(path.join(folder, step));
    fs.writeFileSync(path.join(folder, step, 'index.js'), 'exports.handler = (event) => event;');
  }
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(before);
});

/** Is generated from the docstrings of the construct. */
const REFERENCE = new Document('docs/api/cdk-sliced-inference.md');

/** The examples of all docstrings. The reference shows defaults as code too. */
function examples(): Block[] {
  const lines = REFERENCE.text.split('\n');
  return REFERENCE.codeBlocks('ts').filter(({ place }) =>
    lines[Number(place.split(':')[1]) - 3].endsWith('# Example'),
  );
}

/** A file of an example runs where the example does. */
const blocks = [...DOCUMENTS.flatMap((document) => document.codeBlocks('ts')), ...examples()].filter(
  ({ attributes }) => attributes.file === undefined,
);

test.each(blocks.map(({ place, text }) => [place, text] as const))(
  'the code at %s runs, and uses only props that the construct has',
  (place, code) => {
    const known = documentNamed('docs/props-and-slicing.md').firstColumn(/^\| prop +\|/);
    expect(known).toEqual(expect.arrayContaining(propsIn(code)));
    // The README's has an app of its own, which `npm run check:npm` runs.
    if (!place.startsWith(README.file)) run(code, context());
  },
);

describe('Python in the documents', () => {
  const pythonBlocks = DOCUMENTS.flatMap((document) => document.codeBlocks('python'));
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const hasPython = spawnSync(python, ['--version']).status === 0;
  if (!hasPython) console.warn(`skipped: compiling the Python of the documents needs ${python}`);

  (hasPython ? test : test.skip).each(pythonBlocks.map(({ place, text }) => [place, text] as const))(
    'compiles at %s',
    (place, code) => {
      const compiled = spawnSync(python, ['-c', `compile(open(0).read(), '${place}', 'exec')`], {
        input: code,
        encoding: 'utf8',
      });
      expect(compiled).toMatchObject({ status: 0, stderr: '' });
    },
  );
});
