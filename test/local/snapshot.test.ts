/** What `snapshotOf` leaves of a stack: cuts, and nothing that changes with the weights. */
import { Slicing } from '../../lib';
import { snapshotOf } from '../../local';
import { type ModelInit, mlp, retrained, saveModel } from '../support/model-builder';
import { pipelineStack } from '../support/pipeline-stack';

function snapshot(model: ModelInit, cuts: readonly string[]): object {
  const modelPath = saveModel(model);
  const { pipeline, template } = pipelineStack({ modelPath, slicing: Slicing.atTensors([...cuts]) });
  return snapshotOf(template.toJSON(), pipeline.planPath);
}

test('other weights leave the snapshot as it is, and other cuts of the same count do not', () => {
  const before = snapshot(mlp(4), ['t0', 't1']);
  expect(snapshot(retrained(mlp(4)), ['t0', 't1'])).toEqual(before);
  const after = snapshot(mlp(4), ['t0', 't2']);
  expect(after).not.toEqual(before);
  expect(after).toMatchObject({
    cuts: [{ nodes: [[0, 2]], outputs: ['t0'] }, { outputs: ['t2'] }, { outputs: ['y'] }],
  });
});
