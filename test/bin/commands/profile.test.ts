import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeTensorFile } from '../../../bin/tensor-files';
import { analyzeModel } from '../../../lib/compile/analyze';
import { profileFor, readProfile } from '../../../lib/compile/files/read-profile';
import { type ModelProfile, profileText, profiledTypes } from '../../../lib/compute-time/profile/profile';
import {
  FLOAT,
  attribute,
  int64s,
  mlp,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';
import { refuse, succeed } from '../../support/run-cli';
import { float32 } from '../../support/tensors';

/** Profiles a model with few runs. */
async function profile(model: string, ...args: readonly string[]): Promise<ModelProfile> {
  const out = path.join(temporaryFolder(), 'model.profile.json');
  await succeed(['profile', model, '--runs', '2', '--out', out, ...args]);
  return readProfile(out);
}

describe('profile', () => {
  it('writes a profile that fits its model, with the true shapes', async () => {
    const file = saveModel(mlp(2));
    const found = await profile(file, '--dimension', 'batch=5');
    const { model, types, planned } = analyzeModel(file, { dimensions: { batch: 5 } });
    expect(profileFor({ profile: found, path: 'p' }, model, 'none', planned.dimensions)).toEqual({
      profile: found,
      differences: [],
    });
    expect(found.dimensions).toEqual({ batch: 5 });
    expect(found.machine.threads).toBe(1);
    expect(found.nodes.every((one) => one !== null)).toBe(true);
    const shapes = profiledTypes(model.graph, found, types);
    const m0 = model.graph.values.findIndex(({ name }) => name === 'm0');
    expect(shapes[m0]).toEqual({ dtype: 'float32', shape: [5, 16] });
  });

  it('writes a profile that reads as it is', async () => {
    const out = path.join(temporaryFolder(), 'p.json');
    await succeed(['profile', saveModel(mlp(1)), '--runs', '1', '--out', out]);
    expect(profileText(readProfile(out))).toBe(fs.readFileSync(out, 'utf8'));
    expect(fs.readdirSync(path.dirname(out))).toEqual(['p.json']);
  });

  it('tells nodes without names and with equal names apart', async () => {
    const nodes = [
      { ...node('Relu', ['x'], ['a']), name: '' },
      { ...node('Concat', ['a', 'a'], ['b'], [attribute.int('axis', 0)]), name: '' },
      { ...node('Abs', ['b'], ['y']), name: '' },
    ];
    const graph = { node: nodes, input: [value('x', FLOAT, [3])], output: [value('y', FLOAT, [6])] };
    const found = await profile(saveModel({ graph }));
    expect(found.nodes.map((one) => one?.outputs[0]?.shape)).toEqual([[3], [6], [6]]);
  });

  it.each([
    ['attributes the nodes of a local function to its call, if the model is not cut inside it', 16, 2],
    ['measures the nodes of a local function, if the model is cut inside it', 17, 3],
  ])('%s', async (_, version, nodes) => {
    const opsets = [{ domain: '', version: 17 }];
    const call = { ...node('Twice', ['x'], ['a']), domain: 'local' };
    const found = await profile(
      saveModel({
        opsetImport: [...opsets, { domain: 'local', version: 1 }],
        functions: [
          {
            name: 'Twice',
            domain: 'local',
            input: ['p'],
            output: ['r'],
            opsetImport: [{ domain: '', version }],
            node: [node('Relu', ['p'], ['q']), node('Exp', ['q'], ['r'])],
          },
        ],
        graph: {
          node: [call, node('Abs', ['a'], ['y'])],
          input: [value('x', FLOAT, [50_000])],
          output: [value('y', FLOAT, [50_000])],
        },
      }),
    );
    expect(found.nodes.map((one) => one !== null && one.seconds > 0)).toEqual(Array(nodes).fill(true));
  });

  it('refuses a model that does not run, and inputs that do not fit', async () => {
    const out = path.join(temporaryFolder(), 'p.json');
    expect(await refuse(['profile', 'missing.onnx', '--out', out])).toContain("'missing.onnx'");
    const inputs = path.join(temporaryFolder(), 'x.safetensors');
    await writeTensorFile(inputs, new Map([['z', float32([1], [1])]]));
    expect(await refuse(['profile', saveModel(mlp(1)), '--inputs', inputs, '--out', out])).toContain('z');
    const outside = {
      graph: {
        node: [node('Gather', ['x', 'i'], ['y'])],
        initializer: [int64s('i', [9])],
        input: [value('x', FLOAT, [4])],
        output: [value('y', FLOAT, [1])],
      },
    };
    expect(await refuse(['profile', saveModel(outside), '--out', out])).toMatch(
      /must run in ONNX Runtime \(x float32\[4\]\), got .*: pass real inputs with --inputs/,
    );
    expect(fs.existsSync(out)).toBe(false);
  });

  it('refuses a bad place, bad numbers and unknown dimensions before it measures', async () => {
    const model = saveModel(mlp(1));
    const folder = temporaryFolder();
    const out = ['--out', path.join(folder, 'p.json')];
    for (const [args, complaint] of [
      [[], '--out'],
      [['--out', folder], 'got the folder'],
      [[...out, '--runs', '0'], 'from 1 to'],
      [[...out, '--threads', 'x'], 'whole number'],
      [[...out, '--dimension', 'n=2'], "'n'"],
    ] as const)
      expect(await refuse(['profile', model, ...args])).toContain(complaint);
  });
});
