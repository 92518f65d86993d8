/** A profile replaces the estimates that it has measured. */
import { analyzeModel } from '../../../lib/compile/analyze';
import { mlp, saveModel } from '../../support/model-builder';
import { profileOf } from '../../support/model-profile';
import { analyzeFast } from '../../support/inference/fast-analysis';

analyzeFast();

const file = saveModel(mlp(2));
const path = 'p.json';

describe('a model that is analyzed with its profile', () => {
  it('has the shapes of the profile', () => {
    const estimated = analyzeModel(file, { dimensions: { batch: 3 } });
    const profile = profileOf(estimated, { rows: 5 });
    const { planned, model } = analyzeModel(file, { profile: { profile, path } });
    const [output] = model.graph.nodes[0].outputs;
    expect(estimated.planned.bytes[output]).toBe(3 * 16 * 4);
    expect(planned.types[output].shape).toEqual([5, 16]);
    expect(planned.elements[output]).toBe(5 * 16);
    expect(planned.bytes[output]).toBe(5 * 16 * 4);
    const [input] = model.graph.inputs;
    expect(planned.bytes[input.value]).toBe(3 * 16 * 4);
  });

  it('keeps the estimated shapes if other sizes are planned, and says so', () => {
    const profile = profileOf(analyzeModel(file, { dimensions: { batch: 3 } }), { rows: 5 });
    const options = { dimensions: { batch: 7 }, profile: { profile, path } };
    const { planned, model, profile: fitting } = analyzeModel(file, options);
    expect(planned.bytes[model.graph.nodes[0].outputs[0]]).toBe(7 * 16 * 4);
    expect(fitting?.differences).toEqual(['batch is 7, and was 3 in the profile']);
  });
});
