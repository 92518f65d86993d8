/** The README's photo through the command `invoke`: the text of the receipt comes back, as over HTTP. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App } from 'aws-cdk-lib';
import { OcrStack } from '../../../examples/ocr/app';
import { CopiedExample } from '../../support/copied-example';
import { serve, type Served } from '../../support/example';
import { cli } from '../../support/run-cli';
import { shareZips } from '../../support/share-zips';
import { temporaryFolder } from '../../support/temporary-folder';

const example = new CopiedExample('ocr');
const README = fs.readFileSync(path.join(example.folder, 'README.md'), 'utf8');

/** A line of the README that begins so. */
function command(start: string): string {
  const line = README.split('\n').find((each) => each.startsWith(start));
  if (line === undefined) throw new Error(`the README must have the command: ${start}`);
  return line;
}

describe('a photo through the command', () => {
  let cloud: Served;
  beforeAll(async () => {
    const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
    new OcrStack(app, 'SlicedOcr');
    cloud = await serve(shareZips(app.synth().directory), ['--pipeline', 'ReadPhoto']);
  });
  afterAll(async () => {
    expect(await cloud.stop()).toMatchObject({ stderr: '', leftovers: [] });
  });

  it('prints the text that the README shows', async () => {
    const env = cloud.environment as Record<string, string>;
    await example.shell(command('printf'), process.env);
    const request = path.join(example.folder, 'request.json');
    const { code, stdout, stderr } = await cli(['invoke', '--input-json', request, '--json'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    fs.writeFileSync(path.join(example.folder, 'output.json'), stdout);
    const print = command('$ node -p').slice('$ '.length);
    expect((await example.shell(print, process.env)).stdout).toBe(example.printed(print));
  });
});
