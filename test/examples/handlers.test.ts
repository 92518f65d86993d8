/** The example of functions before and after the model, called as its README says. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { app } from '../../examples/handlers/app';
import { CopiedExample } from '../support/copied-example';
import { serve, type Served } from '../support/example';
import { DIGITS } from '../support/digits-model';
import { bucketsOf } from '../support/leftover-buckets';
import { cli, type CliResult } from '../support/run-cli';
import { shareZips } from '../support/share-zips';

const example = new CopiedExample('handlers');

/** Without what differs between executions: the last two parts of the ARN of an Express execution. */
function stable(printed: string): string {
  return printed.replace(/(:express:[\w-]+):[\w-]+:[\w-]+/, '$1:…');
}

describe('functions before and after the model', () => {
  let assembly: string;
  let cloud: Served;
  beforeAll(async () => {
    assembly = shareZips(app.synth().directory);
    cloud = await serve(assembly);
  });
  afterAll(async () => {
    expect(await cloud.stop()).toMatchObject({ stderr: '', leftovers: [] });
  });

  async function invoke(input: string): Promise<CliResult> {
    const env = cloud.environment as Record<string, string>;
    return await cli(['invoke', '--input-json', input, '--json'], { env });
  }

  it.each([
    ['{ "drawing": "..##. .#... #.... ####. #...# #...# .###." }', 0],
    ['{ "drawing": "#." }', 1],
  ])('%s prints what the README shows', async (input, expected) => {
    const { code, stdout, stderr } = await invoke(input);
    const shown = example.printed(`npx sliced-inference invoke --input-json '${input}' --json`);
    expect({ code, printed: stable(`${stdout}${stderr}`) }).toEqual({ code: expected, printed: shown });
  });

  it('reads each digit of the font', async () => {
    const answers = await Promise.all(
      DIGITS.map((lines) => invoke(JSON.stringify({ drawing: lines.join('\n') }))),
    );
    const digits = answers.map(
      ({ stdout }) => (JSON.parse(stdout) as { output: { digit: number } }).output.digit,
    );
    expect(digits).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('refuses a request without a drawing', async () => {
    const { code, stderr } = await invoke('{}');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('InvalidDrawing') as string,
    });
  });

  it('empties the bucket that it deletes', () => {
    expect(fs.existsSync(path.join(assembly, 'Handlers.template.json'))).toBe(true);
    expect(bucketsOf(assembly)).toEqual({ deleted: 1, leftover: [] });
  });
});
