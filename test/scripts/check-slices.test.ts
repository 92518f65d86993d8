/** Asks the ONNX checker and OpenVINO about slices, if `PYTHON` names a Python that has them. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../../lib/host/packages';
import { FLOAT, INT64, int64s, mlp, node, saveModel, temporaryFolder, value } from '../support/model-builder';

function checkSlices(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const script = path.join(packageRoot(), 'scripts/check-slices.mjs');
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env });
}

interface Report {
  readonly tools: readonly {
    readonly tool: string;
    readonly slices: number;
    readonly accepted: number;
    readonly refused: readonly { readonly slices: readonly string[]; readonly reason: string }[];
  }[];
}

const python = process.env.PYTHON ?? 'python3';
const hasOnnx = spawnSync(python, ['-c', 'import onnx']).status === 0;

(hasOnnx ? describe : describe.skip)(
  hasOnnx ? 'the check of slices' : `the check of slices is skipped: ${python} has no package onnx`,
  () => {
    const folder = temporaryFolder();
    saveModel(mlp(3), 'mlp.onnx', folder);

    test('finds that the ONNX checker accepts all slices of a model with known ranks', () => {
      const { status, stdout } = checkSlices([folder, '--json']);
      const checker = (JSON.parse(stdout) as Report).tools.find(({ tool }) => tool === 'checker');
      expect(checker).toMatchObject({ refused: [] });
      expect(checker?.slices).toBeGreaterThan(10);
      expect(status).toBe(0);
    });

    test('fails if it finds no model, and if it can slice none', () => {
      const empty = checkSlices([temporaryFolder()]);
      expect(empty.stderr).toContain('nothing was checked: no .onnx file in');
      expect(empty.status).toBe(1);
      const broken = path.join(temporaryFolder(), 'broken.onnx');
      fs.writeFileSync(broken, 'no model');
      const refused = checkSlices([broken]);
      expect(refused.stderr).toContain('nothing was checked: the checker accepts no model');
      expect(refused.status).toBe(1);
    });

    test('fails and names the slices that the checker refuses', () => {
      const graph = {
        node: [
          node('Reshape', ['x', 's'], ['r']),
          node('Neg', ['r'], ['n']),
          node('Reshape', ['n', 'one'], ['y']),
        ],
        initializer: [int64s('one', [-1])],
        input: [value('x', FLOAT, ['m']), value('s', INT64, ['k'])],
        output: [value('y', FLOAT, ['m'])],
      };
      const { status, stdout } = checkSlices([saveModel({ graph }), '--json', '--slices', '2']);
      const checker = (JSON.parse(stdout) as Report).tools.find(({ tool }) => tool === 'checker');
      expect(checker?.refused).toMatchObject([
        { reason: "Field 'shape' of 'type' is required but missing." },
      ]);
      expect(status).toBe(1);
    });
  },
);

describe('the check of slices fails with one line', () => {
  const withoutPython = { ...process.env, PYTHON: path.join(temporaryFolder(), 'none') };

  test('without Python, because it checks nothing', () => {
    const { status, stderr } = checkSlices([], withoutPython);
    expect(stderr).toMatch(/^error: nothing was checked: .* has no package onnx, set PYTHON .*\n$/);
    expect(status).toBe(1);
  });

  test.each([
    [['--at-least', 'most'], "--at-least must be a share from 0 to 1, such as 0.95, got 'most'"],
    [['--at-least', '1.5'], "--at-least must be a share from 0 to 1, such as 0.95, got '1.5'"],
    [['--slices', '2,x'], "--slices must be a whole number from 1 to 10000, got 'x'"],
    [['--limit', '0'], "--limit must be a whole number from 1 to 10000, got '0'"],
    [['--optimize', 'all'], "--optimize must be one of none, basic, extended, got 'all'"],
    [['--unknown'], "Unknown option '--unknown'"],
    [['nowhere.onnx'], "a model must be a file or a folder, got 'nowhere.onnx'"],
  ])('for %p', (args, message) => {
    const { status, stderr } = checkSlices(args, withoutPython);
    expect(stderr.split('\n')[0]).toContain(message);
    expect(status).toBe(1);
  });
});
