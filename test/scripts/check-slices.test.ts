/** Asks the ONNX checker and OpenVINO about slices, if `PYTHON` names a Python that has them. */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { packageRoot } from '../../lib/host/package-files';
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

test('the check of slices succeeds without Python, and says what is missing', () => {
  const { status, stdout } = checkSlices([], {
    ...process.env,
    PYTHON: path.join(temporaryFolder(), 'none'),
  });
  expect(stdout).toContain('has no package onnx');
  expect(status).toBe(0);
});
