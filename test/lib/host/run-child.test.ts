import { askChild } from '../../../lib/host/run-child';
import { errorOf } from '../../support/pipeline-stack';

const node = process.execPath;
afterEach(() => {
  process.execPath = node;
});

describe('askChild', () => {
  it('reports that the child did not start', () => {
    process.execPath = '/nowhere/node';
    const ask = (): unknown =>
      askChild({
        script: 'lib/shapes/infer-child.js',
        args: [],
        timeoutMs: 10_000,
        what: 'the model must load',
        advice: 'try again',
      });
    expect(errorOf(ask)).toBe(
      'the model must load, got a process that did not start: spawnSync /nowhere/node ENOENT: try again',
    );
  });
});
