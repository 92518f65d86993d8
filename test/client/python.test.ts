/** The tests of the Python client. pytest runs them against pipelines in the local cloud over TLS, which the environment names. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { variables } from '../../bin/local-cloud/variables';
import { Consolidation, Slicing } from '../../lib';
import { pickyAboutColumns } from '../support/command-models';
import { start } from '../support/deployed-pipeline';
import { addFunction } from '../support/function-stack';
import { ROOT } from '../support/documents';
import { FLOAT, mlp, node, saveModel, value, type ModelInit } from '../support/model-builder';
import { hasPackages, PYTHON_CLIENT, PYTHON_CLIENT_PACKAGES, runPython } from '../support/python';
import { temporaryFolder } from '../support/temporary-folder';
import { TextsStack } from '../support/texts-stack';

/** ONNX's numbers of the element types, in the order in which the client lists them. */
const TYPES: Readonly<Record<string, number>> = {
  ...{ float32: 1, float64: 11, float16: 10, int8: 3, int16: 5, int32: 6, int64: 7 },
  ...{ uint8: 2, uint16: 4, uint32: 12, uint64: 13, bool: 9, string: 8 },
};

/** Returns each of its inputs. */
function identities(inputs: readonly (readonly [name: string, type: number])[]): ModelInit {
  return {
    graph: {
      node: inputs.map(([name]) => node('Identity', [name], [`same ${name}`])),
      input: inputs.map(([name, type]) => value(name, type, ['n'])),
      output: inputs.map(([name, type]) => value(`same ${name}`, type, ['n'])),
    },
  };
}

/** A state machine that contains a pipeline. */
const OWN_MACHINE = 'Mine';

/** The pipelines that the tests name, and a state machine that contains one. */
function synthesize(): string {
  const stack = new TextsStack();
  const chain = { modelPath: saveModel(mlp(4)) };
  const same = { modelPath: saveModel(identities([['x', FLOAT]])), slicing: Slicing.count(1) };
  stack.add('EveryType', {
    modelPath: saveModel(identities(Object.entries(TYPES))),
    slicing: Slicing.count(3),
  });
  stack.addMachine(OWN_MACHINE, stack.add('Inner', same));
  stack.add('Standard', { ...same, stateMachineType: sfn.StateMachineType.STANDARD });
  stack.add('Picky', { modelPath: saveModel(pickyAboutColumns(4)) });
  stack.add('Consolidated', { ...chain, consolidation: Consolidation.ALWAYS });
  addFunction(stack.stack, { modelPath: same.modelPath, dimensions: { n: 50_000 } }, 'Function');
  stack.add('OwnFunctions', chain, 'preprocess', 'postprocess');
  return stack.synthesize();
}

const hasPython = hasPackages(...PYTHON_CLIENT_PACKAGES, 'pytest');

(hasPython ? test : test.skip)('the Python client passes its tests', async () => {
  const assembly = synthesize();
  const cloud = await start(assembly, { pipeline: OWN_MACHINE });
  const found = cloud.pipelines.map(({ stateMachineArn, bucket }) => {
    const id = /-(\w+?)(?:StateMachine|ModelFunction)[0-9A-F]{8}(?::live)?$/.exec(stateMachineArn)?.[1];
    return [id, { arn: stateMachineArn, bucket }] as const;
  });
  const mine = { arn: cloud.stateMachine.stateMachineArn, bucket: '' };
  const commands = temporaryFolder();
  fs.symlinkSync(path.join(ROOT, 'bin/sliced-inference.cjs'), path.join(commands, 'sliced-inference'));
  const env = {
    ...variables(cloud, {}),
    PATH: `${commands}${path.delimiter}${process.env.PATH ?? ''}`,
    ASSEMBLY: assembly,
    PIPELINES: JSON.stringify({ ...Object.fromEntries(found), [OWN_MACHINE]: mine }),
  };
  const output = await runPython(['-m', 'pytest', '-p', 'no:cacheprovider'], { cwd: PYTHON_CLIENT, env });
  expect(output).toMatch(/ \d+ passed in /);
  expect(output).not.toContain('skipped');
});

test('the Python client has the version and the licence of the package', () => {
  const source = fs.readFileSync(path.join(PYTHON_CLIENT, 'src/sliced_inference/__init__.py'), 'utf8');
  const project = fs.readFileSync(path.join(PYTHON_CLIENT, 'pyproject.toml'), 'utf8');
  const manifest = fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8');
  const { version, license } = JSON.parse(manifest) as Record<string, string>;
  expect(/^__version__ = "(.*)"$/m.exec(source)?.[1]).toBe(version);
  expect(/^license = "(.*)"$/m.exec(project)?.[1]).toBe(license);
});
