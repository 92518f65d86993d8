/** What the commands say of operators that run in parts. */
import * as path from 'node:path';
import { floats, modelOf, node, saveModel, temporaryFolder } from '../../support/model-builder';
import { refuse, succeed, succeedWithJson } from '../../support/run-cli';

/** A layer of 1 MiB behind one that is small. */
const model = saveModel(
  modelOf([node('Relu', ['x'], ['active']), node('MatMul', ['active', 'weight'], ['y'])], { x: [2, 64] }, [
    floats('weight', [64, 4096]),
  ]),
);
const flags = [model, '--max-slice-size', '600KB'];

it('inspect says which operators can run in parts', async () => {
  expect(await succeed(['inspect', model])).toContain(
    'largest operators\n  MatMul_y  MatMul, 1 MB, can run in up to 51 parts\n',
  );
});

it('plan says what is split, in words and as JSON', async () => {
  expect((await succeed(['plan', ...flags])).replaceAll(/\s+/g, ' ')).toContain(
    "split: MatMul 'MatMul_y' (weight, 1 MB) runs in 2 parts, each with about 2048 of its output features; a later slice joins them",
  );
  expect(await succeedWithJson(['plan', ...flags, '--json'])).toMatchObject({
    splits: [{ node: 1, parts: [2048, 2048] }],
  });
});

it('verify compares the parts with the whole, and slice writes them for later use', async () => {
  expect(await succeed(['verify', ...flags])).toContain('identical');
  const out = path.join(temporaryFolder(), 'slices');
  await succeed(['slice', ...flags, '--out', out]);
  const plan = path.join(out, 'plan.json');
  expect(await succeed(['verify', model, '--slicing-plan', plan])).toContain('identical');
});

it('parts are named, and refused, by flags', async () => {
  expect(
    await succeedWithJson(['plan', model, '--slices', '3', '--split', 'weight=4', '--json']),
  ).toMatchObject({ splits: [{ parts: [1024, 1024, 1024, 1024] }] });
  expect(await refuse(['plan', ...flags, '--no-split-large-operators'])).toContain('which may not be split');
  expect(await refuse(['plan', model, '--split', 'weight'])).toContain(
    'It must be a name and a number of parts such as embeddings=4.',
  );
});
