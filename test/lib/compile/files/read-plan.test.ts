/** A plan file is checked field by field; what the library uses is a copy of what was checked. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { compile } from '../../../../lib/compile/compile';
import type * as planFile from '../../../../lib/compile/files/read-plan';
import { MAX_PLAN_BYTES, readDeployablePlan, readPlan } from '../../../../lib/compile/files/read-plan';
import { planDigest } from '../../../../lib/emit/seal-plan';
import { planText } from '../../../../lib/emit/write';
import type { SlicePlan } from '../../../../lib/plan/file/plan';
import { count } from '../../../../lib/plan/slicers';
import { mlp, saveModel, temporaryFolder } from '../../../support/model-builder';
import { errorOf } from '../../../support/pipeline-stack';
import { writtenPlan } from '../../../support/written-plan';

const VALID = fs.readFileSync(
  writtenPlan(compile(saveModel(mlp(4)), count(3), { dimensions: { batch: 2 } })).file,
  'utf8',
);
const DIGEST = 'ab'.repeat(32);

/** JSON as a program without types sees it. */
interface Json {
  [key: string]: Json & string & number & unknown[];
}

function fileWith(text: string): string {
  const file = path.join(temporaryFolder(), 'plan.json');
  fs.writeFileSync(file, text);
  return file;
}

/** Changes a valid plan. The types do not allow the changes, so the plan is untyped here. */
function changed(change: (plan: Json) => void): string {
  const plan = JSON.parse(VALID) as Json;
  change(plan);
  return fileWith(JSON.stringify(plan));
}

const set = (object: unknown, key: string | number, value: unknown): void => {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
};

const MAKE_AGAIN = 'make the plan again with `sliced-inference slice`, and do not edit it';

describe('readPlan', () => {
  test('returns what the command wrote, and the same text', () => {
    const plan = readPlan(fileWith(VALID));
    expect(plan).toEqual(JSON.parse(VALID));
    expect(planText(plan)).toBe(VALID);
  });

  test('returns the same text for fields in another order', () => {
    const reversed = Object.fromEntries(Object.entries(JSON.parse(VALID) as Json).reverse());
    expect(planText(readPlan(fileWith(JSON.stringify(reversed))))).toBe(VALID);
  });

  test.each([
    ['', 'an empty file'],
    ['{', 'text that is not JSON'],
    ['{}', 'other content'],
    ['[]', 'other content'],
    ['null', 'other content'],
    ['{"version":2,"library":"9.0.0"}', "version 2, written by version '9.0.0' of the library"],
    ['{"version":0}', 'version 0'],
    ['{"version":"1"}', "version '1'"],
    ['['.repeat(200_000), 'text that is not JSON'],
  ])('says what %.40j is instead', (text, got) => {
    const file = fileWith(text);
    expect(errorOf(() => readPlan(file))).toContain(
      `plan '${file}' must be a plan.json of version 1, got ${got}: `,
    );
  });

  test.each([
    [2, 'update cdk-sliced-inference, or slice the model again with the version that you have'],
    [0, 'slice the model again with this version of the library'],
  ])('advises what to do about a plan of version %i', (version, advice) => {
    const file = changed((plan) => {
      set(plan, 'version', version);
    });
    expect(errorOf(() => readPlan(file))).toMatch(new RegExp(`: ${advice}$`));
  });

  test.each<[where: string, must: string, got: string, change: (plan: Json) => void]>([
    [
      'planDigest',
      'be 64 lower-case hexadecimal digits',
      "'x/../../cdk'",
      (p) => {
        set(p, 'planDigest', 'x/../../cdk');
      },
    ],
    [
      'planDigest',
      'be 64 lower-case hexadecimal digits',
      `'${'A'.repeat(57)}...'`,
      (p) => {
        set(p, 'planDigest', 'A'.repeat(64));
      },
    ],
    [
      'planDigest',
      "be the digest of the slices' digests",
      `'${DIGEST.slice(0, 57)}...'`,
      (p) => {
        set(p, 'planDigest', DIGEST);
      },
    ],
    [
      'library',
      'be a version such as 1.2.3',
      "'1.0\\x1b[2J'",
      (p) => {
        set(p, 'library', '1.0\u001b[2J');
      },
    ],
    ['onnxRuntime', 'be a version such as 1.2.3', 'nothing', (p) => Reflect.deleteProperty(p, 'onnxRuntime')],
    [
      'graphOptimization',
      'be one of none, basic, extended',
      "'all'",
      (p) => {
        set(p, 'graphOptimization', 'all');
      },
    ],
    [
      'model',
      'be an object',
      'a list of 0',
      (p) => {
        set(p, 'model', []);
      },
    ],
    [
      'model.file',
      'be a file name without a folder',
      "'a/b.onnx'",
      (p) => {
        set(p.model, 'file', 'a/b.onnx');
      },
    ],
    [
      'model.file',
      'be text without tokens of CDK',
      "'${Token[AWS.Region.4]}'",
      (p) => {
        set(p.model, 'file', '${Token[AWS.Region.4]}');
      },
    ],
    [
      'model.file',
      'be Unicode text',
      "'\ud800'",
      (p) => {
        set(p.model, 'file', '\ud800');
      },
    ],
    [
      'model.file',
      'have at most 255 characters',
      '300 characters',
      (p) => {
        set(p.model, 'file', 'm'.repeat(300));
      },
    ],
    [
      'model.nodes',
      'be a whole number from 0 to 300000',
      '1e+21',
      (p) => {
        set(p.model, 'nodes', 1e21);
      },
    ],
    [
      "dimensions['batch']",
      'be a whole number from 1 to 9007199254740991',
      '0',
      (p) => {
        set(p.dimensions, 'batch', 0);
      },
    ],
    [
      "dimensions['__proto__']",
      'be a whole number from 1 to 9007199254740991',
      'an object',
      (p) => {
        set(p.dimensions, '__proto__', { polluted: 1 });
      },
    ],
    [
      'assumedDimensions[0]',
      'be a name in dimensions',
      "'x'",
      (p) => {
        set(p, 'assumedDimensions', ['x']);
      },
    ],
    [
      'boundedTensors',
      'be a list',
      "'x'",
      (p) => {
        set(p, 'boundedTensors', 'x');
      },
    ],
    [
      'threads',
      'be a whole number from 1 to 6',
      '7',
      (p) => {
        set(p, 'threads', 7);
      },
    ],
    [
      'inputs',
      'be a list',
      'null',
      (p) => {
        set(p, 'inputs', null);
      },
    ],
    [
      'inputs[0].dtype',
      'be one of float32, float64, float16, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool, string',
      "'*'",
      (p) => {
        set(p.inputs[0], 'dtype', '*');
      },
    ],
    [
      'inputs[0].name',
      'be a name that tensors may have',
      "'__proto__'",
      (p) => {
        set(p.inputs[0], 'name', '__proto__');
      },
    ],
    [
      'inputs[0].shape',
      'have at most 64 entries',
      'a list of 65',
      (p) => {
        set(p.inputs[0], 'shape', Array(65).fill(1));
      },
    ],
    [
      'inputs[0].shape[0]',
      'be a whole number of 0 or more',
      '-1',
      (p) => {
        set(p.inputs[0], 'shape', [-1]);
      },
    ],
    [
      'inputs[1].name',
      'be a name that no tensor before it has',
      "'x'",
      (p) => (p.inputs as unknown[]).push(p.inputs[0]),
    ],
    [
      'fixedInputs[0]',
      'be a name that no tensor before it has',
      "'x'",
      (p) => {
        set(p, 'fixedInputs', ['x']);
      },
    ],
    [
      'outputs[0].source',
      'be an object',
      "'request'",
      (p) => {
        set(p.outputs[0], 'source', 'request');
      },
    ],
    [
      'outputs[0].source.from',
      'be one of request, slice',
      "'bucket'",
      (p) => {
        set(p.outputs[0], 'source', { from: 'bucket' });
      },
    ],
    [
      'outputs[0].source.slice',
      'be a whole number from 0 to 2',
      '3',
      (p) => {
        set(p.outputs[0], 'source', { from: 'slice', slice: 3 });
      },
    ],
    [
      'outputs[0].name',
      'be a tensor that slice 0 provides',
      "'y'",
      (p) => {
        set(p.outputs[0], 'source', { from: 'slice', slice: 0 });
      },
    ],
    [
      'outputs[0].dtype',
      'be float32, as slice 2 provides it',
      "'int8'",
      (p) => {
        set(p.outputs[0], 'dtype', 'int8');
      },
    ],
    [
      'outputs[0].shape',
      'be the shape that slice 2 provides',
      'null',
      (p) => {
        set(p.outputs[0], 'shape', null);
      },
    ],
    [
      'slices',
      'have at least 1 entries',
      'a list of 0',
      (p) => {
        set(p, 'slices', []);
      },
    ],
    [
      'slices',
      'have at most 12 entries',
      'a list of 100000',
      (p) => {
        set(p, 'slices', Array(100_000).fill({}));
      },
    ],
    [
      'slices[0].inputs[0].source.slice',
      'be absent, because nothing runs before the first slice',
      '0',
      (p) => {
        set((p.slices[0] as unknown as Json).inputs[0], 'source', { from: 'slice', slice: 0 });
      },
    ],
    [
      'slices[1].inputs[0].source.slice',
      'be a whole number from 0 to 0',
      '1',
      (p) => {
        set((p.slices[1] as unknown as Json).inputs[0], 'source', { from: 'slice', slice: 1 });
      },
    ],
    [
      'slices[1].nodes[0]',
      'have at least 2 entries',
      'a list of 1',
      (p) => {
        set(p.slices[1], 'nodes', [[0]]);
      },
    ],
    [
      'slices[1].nodes[0]',
      'end at its beginning or later',
      '5 to 1',
      (p) => {
        set(p.slices[1], 'nodes', [[5, 1]]);
      },
    ],
    [
      'slices[1].nodes[0]',
      'list nodes that no other part of a slice lists',
      'node 0 twice',
      (p) => {
        set(p.slices[1], 'nodes', [[0, 1]]);
      },
    ],
    [
      'slices[1].nodes',
      'list a node, because each of several slices runs one',
      'none',
      (p) => {
        set(p.slices[1], 'nodes', []);
      },
    ],
    [
      'slices[1].model.file',
      'be slice-01.onnx',
      "'../slice-01.onnx'",
      (p) => {
        set((p.slices[1] as unknown as Json).model, 'file', '../slice-01.onnx');
      },
    ],
    [
      'slices[1].weights.file',
      'be slice-01.weights',
      "'slice-00.weights'",
      (p) => {
        set((p.slices[1] as unknown as Json).weights, 'file', 'slice-00.weights');
      },
    ],
    [
      'slices[1].weights.sha256',
      'be 64 lower-case hexadecimal digits',
      '7',
      (p) => {
        set((p.slices[1] as unknown as Json).weights, 'sha256', 7);
      },
    ],
    [
      'slices[1].model.bytes',
      'be a whole number from 1 to 2147483647',
      '0.5',
      (p) => {
        set((p.slices[1] as unknown as Json).model, 'bytes', 0.5);
      },
    ],
    [
      'slices[1].weightBytes',
      'be a whole number of 0 or more',
      '-1',
      (p) => {
        set(p.slices[1], 'weightBytes', -1);
      },
    ],
    [
      'slices[1].memoryMb',
      'be a whole number of 128 or more',
      "'512'",
      (p) => {
        set(p.slices[1], 'memoryMb', '512');
      },
    ],
    [
      'slices[1].timeoutSeconds',
      'be a whole number from 1 to 900',
      '901',
      (p) => {
        set(p.slices[1], 'timeoutSeconds', 901);
      },
    ],
    [
      'slices[1].ephemeralStorageMb',
      "hold the slice's files of 1000000000 bytes",
      '512',
      (p) => {
        set(
          (p.slices[1] as unknown as Json).weights,
          'bytes',
          1e9 - Number((p.slices[1] as unknown as { model: Json }).model.bytes),
        );
      },
    ],
  ])('refuses %s that does not %s: %s', (where, must, got, change) => {
    const file = changed(change);
    expect(errorOf(() => readPlan(file))).toBe(
      `${where} of plan '${file}' must ${must}, got ${got}: ${MAKE_AGAIN}`,
    );
  });

  test.each<[where: string, of: (plan: Json) => unknown]>([
    ['plan', (plan) => plan],
    ['model of plan', (plan) => plan.model],
    ['slices[2] of plan', (plan) => plan.slices[2]],
    ['slices[2].model of plan', (plan) => (plan.slices[2] as unknown as Json).model],
    ['outputs[0].source of plan', (plan) => (plan.outputs[0] as unknown as Json).source],
  ])('refuses unknown fields in the %s, even __proto__', (where, of) => {
    for (const name of ['app', '__proto__']) {
      const file = changed((plan) => {
        set(of(plan), name, { polluted: true });
      });
      expect(errorOf(() => readPlan(file))).toMatch(
        new RegExp(
          `^${where.replaceAll(/[[\]]/g, '\\$&')} '.*' must have no field other than .*, got '${name}': `,
        ),
      );
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('refuses a file that is missing, a folder, a pipe or too large, without reading it', () => {
    expect(errorOf(() => readPlan('nowhere.json'))).toBe(
      "plan 'nowhere.json' must be a readable file, got no such file or folder: check the path",
    );
    const folder = temporaryFolder();
    expect(errorOf(() => readPlan(folder))).toContain('got a folder: pass the path of its plan.json');
    const large = path.join(folder, 'large.json');
    fs.closeSync(fs.openSync(large, 'w'));
    fs.truncateSync(large, 2 ** 40);
    expect(errorOf(() => readPlan(large))).toBe(
      `plan '${large}' must have at most ${MAX_PLAN_BYTES} bytes, got ${2 ** 40} bytes: check the path`,
    );
    if (process.platform === 'win32') return;
    const pipe = path.join(folder, 'pipe');
    spawnSync('mkfifo', [pipe]);
    expect(errorOf(() => readPlan(pipe))).toContain('got a pipe or a device');
  });
});

describe('a plan of an earlier contract with the functions', () => {
  const older = (contract: number): string => {
    const plan = JSON.parse(VALID) as SlicePlan;
    const digests = plan.slices.map(({ model, weights }) => ({
      model: model.sha256,
      ...(weights && { weights: weights.sha256 }),
    }));
    return fileWith(JSON.stringify({ ...plan, planDigest: planDigest(digests, contract) }));
  };

  /** The library of a time when the contract has version 3. */
  function later(): typeof planFile {
    let loaded: typeof planFile | undefined;
    jest.isolateModules(() => {
      jest.doMock('../../../../contract/version', () => ({ CONTRACT_VERSION: 3 }));
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- the mock applies to modules loaded now
      loaded = require('../../../../lib/compile/files/read-plan') as typeof planFile;
    });
    jest.dontMock('../../../../contract/version');
    if (loaded === undefined) throw new Error('no module');
    return loaded;
  }

  test('still tells where to cut, and cannot be deployed', () => {
    const file = older(1);
    const library = later();
    expect(library.readPlan(file).slices).toHaveLength(3);
    expect(errorOf(() => library.readDeployablePlan(file))).toMatch(
      /^the slices of plan '.*' must be made for the functions of this version of the library, got slices of version \d.*: slice the model again with this version; Slicing.fromPlan keeps the cuts$/,
    );
    expect(library.readDeployablePlan(older(3)).slices).toHaveLength(3);
  });

  test('is deployed while the contract is the same, and unknown if it is later', () => {
    expect(readDeployablePlan(fileWith(VALID)).slices).toHaveLength(3);
    expect(errorOf(() => readPlan(older(2)))).toContain("must be the digest of the slices' digests");
  });
});
