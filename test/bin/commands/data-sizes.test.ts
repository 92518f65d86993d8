/** What the commands say of sizes that depend on data, and the inputs that they take for them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { PlanReport } from '../../../bin/plan/plan-report';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { nodesOf } from '../../support/graph-text';
import { int64s, modelOf, saveModel, temporaryFolder } from '../../support/model-builder';
import { refuse, succeed, succeedWithJson } from '../../support/run-cli';

const folder = temporaryFolder();
const places = nodesOf('NonZero x > places; Cast places > found to=1; Tanh found > y');
const model = saveModel(modelOf(places, { x: ['n', 4] }), 'model.onnx', folder);
const inputs = path.join(folder, 'own.json');
fs.writeFileSync(inputs, JSON.stringify({ x: [[0, 0, 0, 1]] }));
const SLICES = ['--slices', '2'];

const oneLine = (text: string): string => text.replaceAll('\n  ', ' ');

describe('plan', () => {
  it('warns that sizes are those of generated inputs, and names the next step', async () => {
    const [verdict, , , warnings] = oneLine(await succeed(['plan', model, ...SLICES])).split('\n\n');
    expect(verdict).toMatch(/^One function /);
    expect(warnings).toMatch(
      /depend on data, and the plan uses those of a run on generated inputs \(x float32\[\d+,4\]\); if those of your requests differ, pass inputs of your own with --inputs$/m,
    );
  });

  it('begins with the reason if it is a guess', async () => {
    const nodes = nodesOf('NonZero x > p; Cast p > f to=1; Reshape f five > r; Tanh r > y');
    const file = saveModel(modelOf(nodes, { x: [2, 4] }, [int64s('five', [5, 7])]), 'refusing.onnx', folder);
    const output = oneLine(await succeed(['plan', file, ...SLICES]));
    expect(output).toMatch(
      /^This plan is a guess: pass inputs of your own with --inputs, because .* did not run on generated inputs: Non-zero .*\nOne function /,
    );
    const { verdict } = (await succeedWithJson(['plan', file, ...SLICES])) as PlanReport;
    expect(verdict[0]).toMatch(/^This plan is a guess/);
  });

  it.each([
    ['no.npz', /^tensor file '.*no\.npz' must be readable, got no such file or folder: check the path$/],
    ['bad.json', /^tensor file '.*bad\.json' must be .*, got 'z': check the name/],
    [
      'rank.json',
      /^input 'x' expects float32\[n,4\], got float32\[2\]: convert it or check the input's name$/,
    ],
    ['none.json', /^input 'x' float32\[n,4\] is missing/],
  ])('refuses --inputs %s', async (name, message) => {
    fs.writeFileSync(path.join(folder, 'bad.json'), JSON.stringify({ z: [1] }));
    fs.writeFileSync(path.join(folder, 'rank.json'), JSON.stringify({ x: [1, 2] }));
    fs.writeFileSync(path.join(folder, 'none.json'), '{}');
    expect(await refuse(['plan', model, ...SLICES, '--inputs', path.join(folder, name)])).toMatch(message);
  });
});

it('plan and slice count the sizes and dimensions of the inputs that they get', async () => {
  const out = path.join(folder, 'slices');
  const args = [model, ...SLICES, '--inputs', inputs];
  const report = (await succeedWithJson(['plan', ...args])) as PlanReport;
  expect(report.model.dimensions).toEqual([{ name: 'n', size: 1, isAssumed: false }]);
  expect(await succeed(['slice', ...args, '--out', out])).toMatch(
    /\nwarning: .* and the plan uses those of a run on own\.json \(x float32\[1,4\]\)\n/,
  );
  const plan = JSON.parse(fs.readFileSync(path.join(out, 'plan.json'), 'utf8')) as SlicePlan;
  expect(plan.dataSizes).toEqual({ inputs: 'own.json (x float32[1,4])', isGenerated: false });
  expect(plan.slices[1]).toMatchObject({ writeBytes: 2 * 4 });
  expect(plan.slices.map(({ nodes, readBytes }) => [nodes, readBytes])).toEqual(
    report.slices.map(({ readBytes }, slice) => [plan.slices[slice].nodes, readBytes]),
  );
  const cuts = ['--slicing-plan', path.join(out, 'plan.json'), '--inputs', inputs];
  expect(await succeed(['verify', model, ...cuts])).toContain('are identical');
});
