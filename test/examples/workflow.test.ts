/** The example of a pipeline inside of a state machine, run as its README says. */
import { LocalCloud } from '../../local';
import { DIGITS } from '../support/digits-model';
import { CopiedExample } from '../support/copied-example';

const example = new CopiedExample('workflow');
let assembly: string;
beforeAll(async () => {
  assembly = await example.synthesize();
});

/** Without what differs between executions. */
function stable(output: string): string {
  return output.replace(/"executionArn": ".*"/, '"executionArn": "…"');
}

it('prints what the README shows', async () => {
  const { code, stdout, stderr } = await example.outcome('demo');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const printed = example.printed('npx tsx demo.ts');
  expect(printed).toContain('"text": "42?"');
  expect(stable(stdout)).toBe(stable(printed));
});

describe('the state machine', () => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await LocalCloud.start(assembly, { pipeline: 'Workflow/ReadNumber' });
  });
  afterAll(() => cloud.close());

  it('reads many drawings in order', async () => {
    const drawings = DIGITS.map((lines) => lines.join('\n'));
    expect(await cloud.execute({ drawings })).toMatchObject({
      status: 'SUCCEEDED',
      output: { text: '0123456789', failures: [] },
    });
  });

  it('runs no model without drawings', async () => {
    const before = cloud.workers().length;
    expect(await cloud.execute({ drawings: [] })).toMatchObject({ output: { text: '', failures: [] } });
    expect(cloud.workers()).toHaveLength(before);
  });

  it('fails if its own function fails', async () => {
    expect(await cloud.execute({})).toMatchObject({ status: 'FAILED', error: 'TypeError' });
  });
});
