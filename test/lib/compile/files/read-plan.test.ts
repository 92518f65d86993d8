/** A plan file is checked field by field; what the library uses is a copy of what was checked. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { compile } from '../../../../lib/compile/compile';
import { MAX_PLAN_BYTES, readPlan } from '../../../../lib/compile/files/read-plan';
import { planText } from '../../../../lib/emit/write';
import type { SlicePlan } from '../../../../lib/plan/file/plan';
import { count } from '../../../../lib/plan/slicers';
import { changedFile, fileWith } from '../../../support/changed-json';
import { mlp, saveModel, temporaryFolder } from '../../../support/model-builder';
import { errorOf } from '../../../support/pipeline-stack';
import { writtenPlan } from '../../../support/written-plan';

const VALID = fs.readFileSync(
  writtenPlan(compile(saveModel(mlp(4)), count(3), { dimensions: { batch: 2 } })).file,
  'utf8',
);
const PLAN = JSON.parse(VALID) as SlicePlan;
const DIGEST = 'ab'.repeat(32);

describe('readPlan', () => {
  test('returns what the command wrote, and the same text, also for fields in another order', () => {
    const plan = readPlan(fileWith(VALID));
    expect(plan).toEqual(PLAN);
    expect(planText(plan)).toBe(VALID);
    const reversed = Object.fromEntries(Object.entries(PLAN).reverse());
    expect(planText(readPlan(fileWith(JSON.stringify(reversed))))).toBe(VALID);
  });

  const UPDATE = 'update cdk-sliced-inference, or slice the model again with the version that you have';
  const SLICE_AGAIN = 'slice the model again with this version of the library';
  const MAKE = 'make one with `sliced-inference slice`';

  test.each([
    ['', 'an empty file', MAKE],
    ['{', 'text that is not JSON', MAKE],
    ['['.repeat(200_000), 'text that is not JSON', MAKE],
    ['{}', 'other content', MAKE],
    ['[]', 'other content', MAKE],
    ['null', 'other content', MAKE],
    ['{"version":2,"library":"9.0.0"}', "version 2, written by version '9.0.0' of the library", UPDATE],
    ['{"version":0}', 'version 0', SLICE_AGAIN],
    ['{"version":"1"}', "version '1'", SLICE_AGAIN],
  ])('says what %.40j is instead, and what to do', (text, got, advice) => {
    const file = fileWith(text);
    expect(errorOf(() => readPlan(file))).toBe(
      `plan '${file}' must be a plan.json of version 1, got ${got}: ${advice}`,
    );
  });

  test.each<[where: string, must: string, got: string, value: unknown, changed?: string]>([
    ['planDigest', '64 lower-case hexadecimal digits', "'x/../../cdk'", 'x/../../cdk'],
    ['planDigest', "the digest of the slices' digests", `'${DIGEST.slice(0, 57)}...'`, DIGEST],
    ['library', 'a version such as 1.2.3', "'1.0\\x1b[2J'", '1.0\u001b[2J'],
    ['graphOptimization', 'one of none, basic, extended', "'all'", 'all'],
    ['model', 'an object', 'a list of 0', []],
    ['model.file', 'a file name without a folder', "'a/b.onnx'", 'a/b.onnx'],
    ['model.file', 'text without tokens of CDK', "'${Token[AWS.Region.4]}'", '${Token[AWS.Region.4]}'],
    ['slices[0].readBytes', 'a whole number from 0 to 9007199254740991', '1e+308', 1e308],
    ['model.nodes', 'a whole number from 0 to 300000', '1e+21', 1e21],
    ["dimensions['__proto__']", 'a whole number from 1 to 9007199254740991', 'an object', { polluted: 1 }],
    ['threads', 'a whole number from 1 to 6', '7', 7],
    ['inputs[0].dtype', 'one of float32, float64, float16, int8, int16, int32, int64, uint8', "'*'", '*'],
    ['inputs[0].name', 'a name that tensors may have', "'__proto__'", '__proto__'],
    ['inputs[0].shape', 'have at most 64 entries', 'a list of 65', Array(65).fill(1)],
    ['inputs[1].name', 'a name that no tensor before it has', "'x'", PLAN.inputs[0], 'inputs[1]'],
    ['outputs[0].source.from', 'be slice', "'bucket'", 'bucket'],
    ['outputs[0].name', 'a tensor that slice 0 provides', "'y'", 0, 'outputs[0].source.slice'],
    ['outputs[0].dtype', 'float32, as slice 2 provides it', "'int8'", 'int8'],
    ['outputs[0].shape', 'the shape that slice 2 provides', 'null', null],
    ['slices', 'have at most 12 entries', 'a list of 100000', Array(100_000).fill({})],
    ['slices[1].inputs[0].source.slice', 'a whole number from 0 to 0', '1', 1],
    ['slices[1].nodes[0]', 'end at its beginning or later', '5 to 1', [5, 1]],
    ['slices[1].nodes[0]', 'list nodes that no other part of a slice lists', 'node 0 twice', [0, 1]],
    ['slices[1].nodes', 'list a node, because each of several slices runs one', 'none', []],
    ['slices[1].model.file', 'slice-01.onnx', "'../slice-01.onnx'", '../slice-01.onnx'],
    ['slices[1].model.bytes', 'a whole number from 1 to 2147483647', '0.5', 0.5],
    ['slices[1].timeoutSeconds', 'a whole number from 1 to 900', '901', 901],
    ['slices[1].coldSeconds.slowest', 'a number', '-1', -1],
  ])('refuses %s that is not %s: %s', (where, must, got, value, changed = where) => {
    const file = changedFile(VALID, changed, value);
    const error = errorOf(() => readPlan(file));
    expect(error).toContain(`${where} of plan '${file}' must `);
    expect(error).toContain(` ${must}`);
    expect(error).toMatch(/: make the plan again with `sliced-inference slice`, and do not edit it$/);
    expect(error.split(', got ').at(-1)).toContain(`${got}: `);
  });

  test.each([
    ['', ''],
    ['model', 'model of '],
    ['slices[2]', 'slices[2] of '],
    ['slices[2].model', 'slices[2].model of '],
    ['outputs[0].source', 'outputs[0].source of '],
  ])('refuses unknown fields in %j, even __proto__', (place, subject) => {
    for (const name of ['app', '__proto__']) {
      const file = changedFile(VALID, `${place}.${name}`, { polluted: true });
      const error = errorOf(() => readPlan(file));
      expect(error).toContain(`${subject}plan '${file}' must have no field other than `);
      expect(error).toContain(`, got '${name}': `);
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('refuses a file that is missing, a folder, a pipe or too large, without reading it', () => {
    expect(errorOf(() => readPlan('nowhere.json'))).toContain('got no such file or folder: check the path');
    const folder = temporaryFolder();
    expect(errorOf(() => readPlan(folder))).toContain('got a folder: pass the path of its plan.json');
    const large = fileWith('');
    fs.truncateSync(large, 2 ** 40);
    expect(errorOf(() => readPlan(large))).toContain(
      `must have at most ${MAX_PLAN_BYTES} bytes, got ${2 ** 40}`,
    );
    if (process.platform === 'win32') return;
    const pipe = path.join(folder, 'pipe');
    spawnSync('mkfifo', [pipe]);
    expect(errorOf(() => readPlan(pipe))).toContain('got a pipe or a device');
  });
});
