import { statedRole } from '../../../lib/shapes/dimension-names';

describe('the name of a dimension', () => {
  test.each([
    ['batch_size', 'batch'],
    ['N', 'batch'],
    ['past_sequence_length', 'past'],
    ['total_sequence_length', 'total'],
    ['max_seq_len_in_batch', 'sequence'],
    ['decoderSequenceLength', 'sequence'],
    ['image_width', 'width'],
    ['h', 'height'],
    ['num_samples', 'samples'],
    ['n_mels', 'features'],
    ['timesteps', 'frames'],
  ])("'%s' says that it is the %s", (name, role) => {
    expect(statedRole(name)).toBe(role);
  });

  test.each([
    'unk__214',
    'p2o.DynamicDimension.0',
    'input_dynamic_axes_1',
    's0',
    'd1',
    'None',
    'x[2]',
    'dim_1',
    '',
  ])("'%s' says nothing", (name) => {
    expect(statedRole(name)).toBeUndefined();
  });
});
