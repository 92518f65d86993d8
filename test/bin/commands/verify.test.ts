import * as path from 'node:path';
import { writeTensorFile } from '../../../bin/tensor-files';
import type { Verification } from '../../../bin/verify/run-both';
import { builtFile } from '../../../lib/host/packages';
import { fileWith } from '../../support/changed-json';
import {
  FLOAT,
  INT64,
  attribute,
  floats,
  mlp,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';
import { PRODUCT, WEIGHT, integerModel } from '../../support/integer-models';
import * as models from '../../support/command-models';
import { cli, refuse, succeed, succeedWithJson } from '../../support/run-cli';
import { float32, int64 } from '../../support/tensors';

async function verify(args: readonly string[]): Promise<Verification> {
  return (await succeedWithJson(['verify', ...args])) as Verification;
}

describe('verify', () => {
  it('reports that slices and model are identical', async () => {
    expect(await succeed(['verify', saveModel(mlp(3)), '--slices', '3'])).toBe(
      [
        "3 slices and the whole model are identical with graph optimization 'none'",
        'on generated inputs: x float32[1,16], with 1 thread',
        'output  type           bits       max abs diff',
        'y       float32[1,16]  identical             0',
        'with NaN, infinities, denormals and -0.0 among the floats: identical',
        '',
      ].join('\n'),
    );
  });

  it('says how many 8-bit weights the slices have in the other type, and whether this processor needs that', async () => {
    const file = saveModel(integerModel([PRODUCT], [WEIGHT]));
    const flags = [file, '--slices', '1', '--dimension', 'rows=2'];
    const { int8Weights, identical } = await verify(flags);
    expect(identical).toBe(true);
    expect(int8Weights).toMatchObject({ count: 1, isRewritten: true, inexact: [] });
    const products = int8Weights?.isGivenExact ? 'exact' : 'wrong';
    const printed = await succeed(['verify', ...flags]);
    expect(printed).toContain('1 constant 8-bit weight has the other 8-bit type in the slices');
    expect(printed).toContain(`computes the model as given with ${products} products on these inputs`);
  });

  it('runs arm64 under QEMU, or says what is missing', async () => {
    const flags = [saveModel(integerModel([PRODUCT], [WEIGHT])), '--slices', '1', '--dimension', 'rows=2'];
    const arm = ['verify', ...flags, '--architecture', 'arm64'];
    if (process.arch === 'arm64') {
      expect(await succeed(arm)).toContain('identical');
      return;
    }
    const { code, stdout, stderr } = await cli(arm);
    // All kinds of products are exact on arm64.
    if (code === 0)
      expect(stdout).toMatch(/, on an emulated Graviton3\n[^]*computes the slices with exact products/);
    else
      expect(stderr).toMatch(
        /^error: verify --architecture arm64 must run on arm64, .*, got no .*: install .*libstdc\+\+6-arm64-cross/,
      );
    const none = await cli(arm, { env: { PATH: '/nonexistent' } });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('got no qemu-aarch64') as string });
  });

  it('compares slices and model with the same prepacking', async () => {
    const file = saveModel(mlp(3, 64));
    const never = await verify([file, '--slices', '3', '--prepacking', 'never']);
    expect(never.identical).toBe(true);
  });

  /** Runs code before that of the processes of `verify`. */
  function verifyAfter(code: string, ...args: readonly string[]) {
    const preload = fileWith(code, 'preload.cjs');
    return cli(['verify', ...args], { env: { NODE_OPTIONS: `--require ${preload}` } });
  }

  it("shows the loader's reason if ONNX Runtime's library cannot load", async () => {
    const code = `if (process.argv[1].endsWith('verify-job.js'))
      process.dlopen = () => {
        throw new Error('libstdc++.so.6: cannot open shared object file');
      };`;
    expect(await verifyAfter(code, saveModel(mlp(1)))).toMatchObject({
      code: 2,
      stderr:
        'error: the library of ONNX Runtime must load on this machine, got libstdc++.so.6: cannot open shared object file: ' +
        'install the library that is missing, or install onnxruntime-node again\n',
    });
  });

  // No model makes the slices differ, so these tests damage their outputs before the comparison.
  const afterDamage = (whole: string, chained: string) =>
    verifyAfter(
      `const fs = require('node:fs');
      const { decodeTensors, encodeTensors } = require(${JSON.stringify(builtFile('bundle/client.js'))});
      const write = fs.writeFileSync;
      const damages = { whole(bytes) { ${whole} }, chained(bytes, file) { ${chained} } };
      fs.writeFileSync = (file, bytes, ...rest) => {
        const damage = damages[String(file).match(/(whole|chained).safetensors$/)?.[1]];
        if (damage === undefined) return write(file, bytes, ...rest);
        const tensors = decodeTensors(bytes);
        damage(tensors.get('y').bytes, String(file));
        return write(file, encodeTensors(tensors), ...rest);
      };`,
      saveModel(mlp(2)),
      ...['--slices', '2'],
    );
  const fill = (last: string) => `bytes.fill(0); bytes.set([${last}], bytes.length - 4);`;

  it.each([
    ['a bit', '', 'bytes[bytes.length - 1] ^= 1;', '\\d.*'],
    ['the sign of a zero', fill('0'), fill('0, 0, 0, 0x80'), 'sign of zero'],
    ['a bit of NaN', fill('0, 0, 0xc0, 0x7f'), fill('1, 0, 0xc0, 0x7f'), 'NaN payload'],
    ['NaN', fill('0'), fill('0, 0, 0xc0, 0x7f'), 'NaN or infinity'],
  ])('exits with 1 when %s differs, and says so', async (_, whole, chained, words) => {
    const { stdout, ...end } = await afterDamage(whole, chained);
    expect(end).toMatchObject({ code: 1, stderr: '', leftovers: [] });
    const expected =
      "^2 slices and the whole model are different with graph optimization 'none'\n.*\n.*\n" +
      `y +float32\\[1,16\\] +different +${words}\nwith NaN, .* among the floats: different in y \\(.*\\)\n$`;
    expect(stdout).toMatch(new RegExp(expected));
  });

  it('exits with 1 when only the run with special values differs', async () => {
    const second = "if (fs.existsSync(file.replace('chained', 'special'))) bytes[0] ^= 1;";
    const { stdout, code } = await afterDamage('', second);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^2 slices and the whole model are identical .*\n.*\n.*\ny .*identical +0\nwith NaN, .* different in y/,
    );
  });

  it('compares ordinary floats of a model that refuses special ones', async () => {
    const nodes = [
      node('Cast', ['x'], ['i'], [attribute.int('to', INT64)]),
      node('Gather', ['w', 'i'], ['y']),
    ];
    const model = saveModel(modelOf(nodes, { x: [64] }, [floats('w', [16, 4])]));
    expect(await succeed(['verify', model, '--slices', '2'])).toContain(
      'identical             0\nthe model does not run on NaN, infinities, denormals and -0.0 among the floats',
    );
    expect(await verify([model, '--slices', '2'])).toMatchObject({
      identical: true,
      specialValues: 'refused',
    });
  });
});

test('verify --optimize cuts the optimized graph, and compares with the whole model at that level', async () => {
  const model = saveModel(models.normalized());
  expect(await verify([model, '--slices', '4'])).toMatchObject({ identical: true, slices: 4 });
  for (const level of ['basic', 'extended'])
    expect(await verify([model, '--slices', '2', '--optimize', level])).toMatchObject({
      ...{ identical: true, slices: 2, graphOptimization: level },
    });
  expect(await refuse(['verify', model, '--slices', '4', '--optimize', 'basic'])).toMatch(
    /^the model can be cut into at most [23] slices, got 4 slices for its [23] nodes: use fewer slices$/,
  );
});

test.each([
  [['--optimize', 'all'], 'Allowed choices are none, basic, extended.'],
  [['--seed', '3', '--inputs', 'x.npz'], "'--inputs <file>' cannot be used with option '--seed <n>'"],
])('verify refuses the flags %p', async (flags, message) => {
  expect(await refuse(['verify', saveModel(mlp(1)), ...flags])).toContain(message);
});

test("verify --against default reports how far the slices are from the model at ONNX Runtime's defaults", async () => {
  // ONNX Runtime folds the normalization into the convolution, which then rounds differently.
  const flags = [saveModel(models.normalized()), '--slices', '2', '--against', 'default'];
  const { identical, againstDefault } = await verify(flags);
  expect([identical, againstDefault]).toMatchObject([true, [{ name: 'y', identical: false }]]);
  expect(againstDefault?.[0].maxAbsDiff).toBeGreaterThan(0);
  expect(againstDefault?.[0].maxRelDiff).toBeLessThan(1e-3);
  expect(await succeed(['verify', ...flags])).toMatch(
    /\ncompared with ONNX Runtime's default settings, .* --optimize extended comes closer to them\noutput +max abs diff +max rel diff\ny +\S+ +\S+\n$/,
  );
});

test('verify --inputs reads the inputs of a file', async () => {
  const file = path.join(temporaryFolder(), 'inputs.npz');
  const tensors = { x: float32([2, 4]), ids: int64([2, 1], [3, -1]) };
  await writeTensorFile(file, new Map(Object.entries(tensors)));
  expect(await verify([saveModel(models.twoInputs()), '--slices', '2', '--inputs', file])).toMatchObject({
    identical: true,
    inputs: [
      { name: 'x', dtype: 'float32', shape: [2, 4] },
      { name: 'ids', dtype: 'int64', shape: [2, 1] },
    ],
  });
});

describe('verify without inputs', () => {
  it('uses the sizes of --dimension', async () => {
    const flags = ['--dimension', 'rows=3', '--dimension', 'columns=77'];
    expect(await verify([saveModel(models.pickyAboutColumns(77)), ...flags])).toMatchObject({
      inputs: [{ name: 'x', shape: [3, 77] }],
    });
  });

  it('reports that the model does not run on the generated inputs', async () => {
    expect(await refuse(['verify', saveModel(models.pickyAboutColumns(77))])).toMatch(
      /^the whole model must run in ONNX Runtime on generated inputs \(x float32\[1,80\]\), got .* mismatched dimensions of 77 and 80: pass real inputs with --inputs, or the sizes of symbolic dimensions with --dimension$/,
    );
  });

  it('reports identical outputs of seeded random operators after inputs that did not fit', async () => {
    const { graph } = models.pickyAboutColumns(8);
    const seed = { name: 'seed', f: 1, type: 1 };
    const random = {
      ...graph,
      node: [
        node('RandomNormalLike', ['x'], ['noise'], [seed]),
        ...graph.node,
        node('Add', ['y', 'noise'], ['z']),
      ],
      output: [value('z', FLOAT)],
    };
    expect(await verify([saveModel({ graph: random }), '--slices', '2'])).toMatchObject({
      identical: true,
      inputs: [{ name: 'x', shape: [1, 8] }],
    });
  });
});
