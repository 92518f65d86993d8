import * as path from 'node:path';
import { temporaryFolder } from '../../support/model-builder';
import { refuse } from '../../support/run-cli';
import { sparseModel } from '../../support/sparse-model';

it('init --function refuses a model that does not fit into a function', async () => {
  const folder = path.join(temporaryFolder(), 'app');
  // 48 weights of 256 MiB: 12 GiB.
  expect(await refuse(['init', folder, '--model', sparseModel(48), '--function'])).toMatch(
    /^with --function, the whole model must fit a Lambda function of 10240 MB of memory, got an estimate of 1[2-5]\d{3} MB: lower the sizes of --dimension, or leave --function out, for slices$/,
  );
});
