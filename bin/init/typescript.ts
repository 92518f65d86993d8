/** The files of an app in TypeScript, besides package.json. */
import { elementCount, typedView } from '../../lambda/tensors/tensor';
import type { AppConstruct, AppModel } from './app-model';
import type { ExampleInput } from './example-inputs';
import { indented, key, listed, literal } from '../terminal/literals';
import { TEST_COMMAND } from './manifest';

/** Their texts by name. */
export function typescriptFiles(model: AppModel): Record<string, string> {
  const { file, stack } = model.names;
  return {
    'app.ts': appFile(file, stack),
    [`${file}-stack.ts`]: stackFile(model),
    [`${file}-stack.test.ts`]: testFile(file, stack),
    'call.mjs': callFile(model.inputs),
    'cdk.json': '{ "app": "npx tsx app.ts" }\n',
    'jest.config.cjs': JEST_CONFIG,
    'tsconfig.json': TSCONFIG,
  };
}

function appFile(file: string, stack: string): string {
  return `/** The CDK app: \`npx cdk synth\` cuts the model, \`npx cdk deploy\` deploys it. */
import { App } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { ${stack}Stack } from './${file}-stack';

new ${stack}Stack(new App(), '${stack}', {
  // The local cloud runs the functions on this machine, so the app takes its architecture.
  architecture: process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
});
`;
}

function stackFile({ names: { stack }, path, pathComment, dimensions, construct }: AppModel): string {
  const sizes = Object.entries(dimensions).map(([name, size]) => `${key(name)}: ${size}`);
  const lines = [
    '// The sizes of your requests. These are assumed: change them here and in call.mjs.',
    ...listed('dimensions: { ', sizes, ' },'),
  ];
  return `/** The stack: the model as ${inWords(construct)}. */
import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import type { Architecture } from 'aws-cdk-lib/aws-lambda';
import * as inference from 'cdk-sliced-inference';
import type { Construct } from 'constructs';

interface ${stack}StackProps extends StackProps {
  readonly architecture: Architecture;
}

export class ${stack}Stack extends Stack {
  readonly model: inference.DeployedModel;

  constructor(scope: Construct, id: string, props: ${stack}StackProps) {
    super(scope, id, props);
    // ${otherConstruct(construct)}
    this.model = new inference.${construct}(this, 'Model', {
      modelPath: ${literal(path, "'")}, // ${pathComment}
${indented(sizes.length === 0 ? [] : lines, 6)}      architecture: props.architecture,
      // \`cdk destroy\` deletes the bucket of results too, with all that is in it.
      removalPolicy: RemovalPolicy.DESTROY,
      autoDeleteObjects: true,
    });
    new CfnOutput(this, 'ModelArn', { value: this.model.invokeArn });
  }
}
`;
}

export function inWords(construct: AppConstruct): string {
  return construct === 'InferenceFunction' ? 'one Lambda function' : 'a pipeline of Lambda functions';
}

/** A comment on the line that makes the construct. */
export function otherConstruct(construct: AppConstruct): string {
  return construct === 'InferenceFunction'
    ? 'SlicedInferencePipeline in its place cuts a model that does not fit, or that loads too slowly, into slices.'
    : 'InferenceFunction in its place runs the whole model in one function, if it fits.';
}

function testFile(file: string, stack: string): string {
  return `/** Other weights pass this test; other cuts and other resources do not. \`npx ${TEST_COMMAND} -u\` accepts them. */
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { snapshotOf } from 'cdk-sliced-inference/local';
import { ${stack}Stack } from './${file}-stack';

test('the stack and the cuts of the model are those of the snapshot', () => {
  // One architecture, so that the snapshot is the same on every machine.
  const stack = new ${stack}Stack(new App(), '${stack}', { architecture: Architecture.X86_64 });
  const template = Template.fromStack(stack);
  expect(snapshotOf(template.toJSON(), stack.model.planPath)).toMatchSnapshot();
});
`;
}

function callFile(inputs: readonly ExampleInput[]): string {
  const tensors = inputs.map(
    ({ name, dtype, shape, ...input }) =>
      `${key(name)}: { dtype: '${dtype}', shape: [${shape.join(', ')}], data: ${elements({ dtype, shape, ...input })} },`,
  );
  return `/** Calls the model with example values: replace them by yours. It runs in the local cloud and on AWS. */
import { SlicedInferenceClient, toNestedArray } from 'cdk-sliced-inference/client';

const inputs = {
${indented(tensors, 2)}};

// The AWS SDK warns of Node.js versions that it will not support.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
const { STATE_MACHINE_ARN: stateMachineArn } = process.env;
if (stateMachineArn === undefined) {
  console.error('STATE_MACHINE_ARN must be the ARN that the stack prints, got none: see README.md');
  process.exit(2);
}
let model;
try {
  model = new SlicedInferenceClient({ stateMachineArn });
  const { outputs } = await model.infer(inputs);
  for (const [name, output] of Object.entries(outputs)) {
    const first = [toNestedArray(output)].flat(Infinity).slice(0, 8);
    console.log(\`\${name} \${output.dtype}[\${output.shape}]:\`, ...first);
  }
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  await model?.close();
}
`;
}

function elements({ dtype, shape, values }: Omit<ExampleInput, 'name'>): string {
  const length = elementCount(shape);
  if (dtype === 'string') return `Array(${length}).fill('text')`;
  // The class that the client takes and returns, such as `Float32Array`.
  const array = typedView({ dtype, shape: [0], bytes: new Uint8Array() }).constructor.name;
  if (values === 'wave') return `${array}.from({ length: ${length} }, (_, i) => Math.sin(i))`;
  if (values === 'zeros') return `new ${array}(${length})`;
  // The elements of float16 are bits.
  const one = dtype === 'float16' ? '0x3c00' : array.startsWith('Big') ? '1n' : '1';
  return `new ${array}(${length}).fill(${one})`;
}

const JEST_CONFIG = `/** Jest reads TypeScript with SWC, and not what \`cdk synth\` writes. */
module.exports = {
  transform: { '\\\\.ts$': '@swc/jest' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out'],
  testTimeout: 300_000, // a test may slice a large model, or run it in the local cloud
};
`;

const TSCONFIG = `{
  "compilerOptions": {
    "target": "ES2022",
    "module": "Node16",
    "strict": true,
    "noEmit": true,
    "skipLibCheck": true,
    "types": ["node", "jest"]
  },
  "include": ["*.ts"]
}
`;
