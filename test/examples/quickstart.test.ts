/** The quickstart runs from the folder's files, and its text shows these files. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { toNestedArray } from '../../client';
import { Document, ROOT } from '../support/documents';
import { Example, serve } from '../support/example';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

const FOLDER = 'examples/quickstart';
const FEATURES = [5.1, 3.5, 1.4, 0.2];

describe('the quickstart', () => {
  it.each(['make-model.ts', 'app.ts', 'call.ts', 'cdk.json', 'inputs.json'])('shows the whole %s', (file) => {
    const shown = new Document(`${FOLDER}/README.md`)
      .codeBlocks('ts')
      .concat(new Document(`${FOLDER}/README.md`).codeBlocks('json'));
    const text = fs.readFileSync(path.join(ROOT, FOLDER, file), 'utf8');
    expect(shown.map(({ code }) => code)).toContain(text);
  });

  it('calls the slices in the local cloud with the result of the whole model', async () => {
    const quickstart = new Example('quickstart');
    await quickstart.run('make-model');
    const served = await serve(await quickstart.synthesize());
    const { stdout } = await quickstart.run('call', [], served.environment);
    expect(await served.stop()).toMatchObject({ stderr: '', leftovers: [] });

    const model = path.join(quickstart.folder, 'model.onnx');
    const whole = (await runWhole(model, new Map([['features', float32([1, 4], FEATURES)]]))).get(
      'probabilities',
    );
    if (whole === undefined) throw new Error('the model has no output probabilities');
    const [row] = toNestedArray(whole) as number[][];
    expect(stdout).toBe(`probabilities of 3 slices: [ [ ${row.join(', ')} ] ]\n`);
  });
});
